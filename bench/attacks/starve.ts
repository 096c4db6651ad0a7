/**
 * Measures the delays of two people in a room, at rest and while another user's document is compacted that Yjs
 * integrates in quadratic time: `npm run build && npx tsx bench/attacks/starve.ts [items, 12000]`.
 */
import { resolve } from 'node:path'
import { rightOriginChain } from '../../test/workers/slow-updates.ts'
import { Client } from '../load/client.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { describeServer, startServer, withFolder } from '../servers.ts'
import { HonestPair } from './honest-pair.ts'

const pasteBytes = 200_000
const pasteCount = 20
const keystrokeCount = 200

const kind = describeServer('ours', resolve(import.meta.dirname, '../..'))
if (typeof kind === 'string') throw new Error(kind)
await withFolder(async (folder) => {
  const server = await startServer(kind, folder)
  const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
  try {
    const pair = await HonestPair.join(target, 'honest')
    await pair.measure(pasteBytes, 3) // lets the threads start
    console.log('calm'.padEnd(14), await figures(pair))
    const attacker = new Client(target, 'attacked')
    await attacker.join()
    // Above 64 KiB the document is compacted at once.
    attacker.sendUpdate(rightOriginChain(Number(process.argv[2] ?? 12_000)))
    console.log('under attack'.padEnd(14), await figures(pair))
    attacker.leave()
    pair.leave()
  } finally {
    await server.stop()
  }
})
process.exit(0)

async function figures (pair: HonestPair): Promise<string> {
  const [pastes, keystrokes] = [await pair.measure(pasteBytes, pasteCount), await pair.measure(1, keystrokeCount)]
  const [paste50, paste99, echo50, echo99] = [pastes, keystrokes]
    .flatMap((delays) => [delays.quantile(0.5), delays.quantile(0.99)].map((ms) => ms.toFixed(1)))
  return `paste of ${pasteBytes / 1000} KB p50 ${paste50} ms, p99 ${paste99} ms; keystroke p50 ${echo50} ms, p99 ${echo99} ms`
}
