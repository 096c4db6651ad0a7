/** Appends to a list in place. `push(...items)` overflows the stack with a hundred thousand items. */
export function append<T> (list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item)
}
