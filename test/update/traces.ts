import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../root.ts'

/** One change of a text. */
export type Patch = [position: number, deleted: number, inserted: string]

const fileName = 'automerge-paper.json.gz'

/**
 * Every keystroke of a real paper (josephg/editing-traces), from the folder in `Y_PROVIDER_TRACES` or one beside the
 * repository. If there is none, a made-up history of the same kind and length.
 */
export function paperPatches (): Patch[] {
  const folders = [process.env.Y_PROVIDER_TRACES ?? '', path.join(root, '../shared/data'), path.join(root, '../../shared/data')]
  const file = folders.map((folder) => path.join(folder, fileName)).find((candidate) => existsSync(candidate))
  if (file === undefined) return madeUpPatches()
  // The format of that collection: transactions of patches.
  const trace = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { txns: { patches: Patch[] }[] }
  return trace.txns.flatMap((transaction) => transaction.patches)
}

/** Made-up typing that jumps, and deletes about as often as the author of the paper. */
export function madeUpPatches (): Patch[] {
  let length = 0
  let at = 0
  let random = 1
  return Array.from({ length: 250_000 }, (): Patch => {
    random = (random * 48271) % 2147483647
    if (random % 60 === 0) at = random % (length + 1)
    if (random % 10 < 3 && at > 0) {
      length--
      return [--at, 1, '']
    }
    length++
    return [at++, 0, 'e']
  })
}
