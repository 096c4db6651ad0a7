import { slips } from '../settings/misspelt.ts'

/** Slips above which a word counts as another word. */
const maxSlips = 2

/** The name that was probably meant; undefined if none is similar. */
export function nearest (given: string, names: readonly string[]): string | undefined {
  const begun = given.length > 1 ? names.find((name) => name.startsWith(given)) : undefined
  const [best] = names.map((name) => ({ name, slips: slips(given, name) })).sort((a, b) => a.slips - b.slips)
  return best !== undefined && best.slips <= maxSlips ? best.name : begun
}
