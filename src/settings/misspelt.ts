import { settings, type Environment } from './prepare.ts'

const known = settings.flatMap(([name, schema]) => schema.secret === true ? [name, `${name}_FILE`] : [name])

/** Names shorter than this (HOST, PORT) are too near to other programs' variables to be guessed at. */
const minLength = 8

/** How many slips still count as the same name. */
const maxSlips = 2

/**
 * Variables that look like a slip of the pen for one of ours, which is not set itself: `COLLABORATION_SERVER_SECRT`.
 * @returns pairs of the name given and the name meant
 */
export function misspelt (environment: Environment): Array<{ given: string, meant: string }> {
  const isSet = (name: string) => environment[name] !== undefined
  return Object.keys(environment)
    .filter((given) => given.length >= minLength && !known.includes(given))
    .flatMap((given) => {
      const meant = known.find((name) => name.length >= minLength && !isSet(name) && slips(given.toUpperCase(), name) <= maxSlips)
      return meant === undefined ? [] : [{ given, meant }]
    })
}

/** Letters to add, leave out, change or swap with a neighbour to get from one name to the other (optimal string alignment distance). */
export function slips (from: string, to: string): number {
  if (Math.abs(from.length - to.length) > maxSlips) return maxSlips + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity
      )
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}
