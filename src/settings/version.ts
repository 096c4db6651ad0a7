import { readFileSync } from 'node:fs'

// It lies beside both src/ and dist/. npm requires a version in every package.
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

/** The version of this service, from package.json. */
export const { version } = JSON.parse(manifest) as { version: string }
