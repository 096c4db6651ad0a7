import { slips } from '../settings/misspelt.ts'

/** More slips than this make another word. */
const maxSlips = 2

/** The name that somebody has probably meant; undefined where none is near. */
export function nearest (given: string, names: readonly string[]): string | undefined {
  const begun = given.length > 1 ? names.find((name) => name.startsWith(given)) : undefined
  const [best] = names.map((name) => ({ name, slips: slips(given, name) })).sort((a, b) => a.slips - b.slips)
  return best !== undefined && best.slips <= maxSlips ? best.name : begun
}
