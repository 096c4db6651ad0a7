import type { ServerKind, ServerName } from '../servers.ts'

/** Figures of one server in one row, by column key; undefined if there is none. */
export type Figures = Record<string, number | undefined>

/** The input of a scenario. */
export interface Setting {
  kind: ServerKind
  /** seconds instead of half a minute: for a smoke test, not for publishing */
  quick: boolean
  /** folder with real editing histories; without it an artificial one of the same size is used */
  traces: string | undefined
}

export interface Outcome {
  figures: Figures
  /** Caveats that a reader of the figures must know, if any. */
  notes: string[]
}

export interface Column {
  key: string
  label: string
  digits: number
}

/** Reads a figure of this row: `of('hocuspocus', 'cpu')`; undefined if that server was not measured. */
export type Read = (server: ServerName, key: string) => number | undefined

/** A goal for ours: the measured value and its maximum, or undefined if a part of it was not measured. */
export interface Goal {
  text: string
  value: (of: Read) => number | undefined
  limit: number
}

/** One row of the table. */
export interface Scenario {
  name: string
  title: string
  /** Ratios are computed from the first column. */
  columns: [Column, ...Column[]]
  /** Servers that the row does not apply to. */
  without: readonly ServerName[]
  goals: Goal[]
  /** Measured once, whatever --repeat says: for rows that take minutes. */
  once?: boolean
  /** Time limit for one server's run at full length. */
  timeoutSeconds: number
  run: (setting: Setting) => Promise<Outcome>
}

/** A goal that compares ours with another server. */
export function atMost (limit: number, key: string, other: ServerName): Goal {
  return {
    text: `${key} <= ${limit} x ${other}`,
    value: (of) => ratio(of('ours', key), of(other, key)),
    limit,
  }
}

/** A goal that compares ours with the better of the two peers. */
export function atMostBest (limit: number, key: string): Goal {
  return {
    text: `${key} <= ${limit} x the better peer`,
    value: (of) => {
      const peers = [of('y-websocket', key), of('hocuspocus', key)].filter((value) => value !== undefined)
      return peers.length === 0 ? undefined : ratio(of('ours', key), Math.min(...peers))
    },
    limit,
  }
}

/** A goal in the column's own unit. */
export function below (limit: number, key: string): Goal {
  return { text: `${key} <= ${limit}`, value: (of) => of('ours', key), limit }
}

function ratio (ours: number | undefined, other: number | undefined): number | undefined {
  return ours === undefined || other === undefined ? undefined : ours / other
}
