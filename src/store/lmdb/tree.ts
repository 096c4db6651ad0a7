import type { RootDatabase } from 'lmdb'

/** An open data file: one LMDB tree from keys to values. */
export type LmdbTree = RootDatabase<Buffer, Buffer>

/** Bytes of a page, set when a data file is created. */
export const pageBytes = 4096
