import { nullableText } from './nullable-text.ts'

/** The schema of a time in JSON, or null. */
export const time = (description: string) => nullableText({ description, examples: ['2026-01-31T09:30:00.000Z', null] })

/** A time in JSON: ISO 8601 in UTC, with milliseconds. @param ms since the epoch; 0: there is none */
export const timeOf = (ms: number): string | null => ms === 0 ? null : new Date(ms).toISOString()
