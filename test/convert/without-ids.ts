/** A copy of blocks as plain JSON without their ids, which readers make up, and with keys in one order. */
export function withoutIds (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'id').sort(([a], [b]) => a < b ? -1 : 1)
  return Object.fromEntries(entries.map(([key, entry]) => [key, withoutIds(entry)]))
}
