/** A count with its noun: `1 document`, `2 documents`, `2 entries`. */
export function plural (count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`
  return `${count} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ie` : noun}s`
}
