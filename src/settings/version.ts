import { readFileSync } from 'node:fs'

// Beside the sources and beside the build; npm does not let a package be without a version.
const { version: read } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** The version of this service, as package.json has it. */
export const version = read
