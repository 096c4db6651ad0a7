/** Appends to a list in place. Not `push(...items)`: a hundred thousand arguments are more than the stack holds. */
export function append<T> (list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item)
}
