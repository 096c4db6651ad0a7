import { settings, type Environment } from './prepare.ts'

const known = settings.flatMap(([name, schema]) => schema.secret === true ? [name, `${name}_FILE`] : [name])

/** Characters; shorter names (HOST, PORT) are too similar to variables of other programs. */
const minLength = 8

/** Typing errors up to which a name counts as misspelt. */
const maxSlips = 2

/**
 * Finds variables that look like a misspelt setting, such as `COLLABORATION_SERVER_SECRT`, if that setting is not set.
 * @returns pairs of the given and the meant name
 */
export function misspelt (environment: Environment): Array<{ given: string, meant: string }> {
  const isSet = (name: string) => environment[name] !== undefined
  return Object.keys(environment)
    .filter((given) => given.length >= minLength && !known.includes(given))
    .flatMap((given) => {
      const isMeant = (name: string): boolean => name.length >= minLength && slips(
        given.toUpperCase(),
        name
      ) <= maxSlips
      const meant = known.find((name) => !isSet(name) && isMeant(name))
      return meant === undefined ? [] : [{ given, meant }]
    })
}

/** Typing errors between two names: letters to add, remove, change or swap (optimal string alignment distance). */
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
