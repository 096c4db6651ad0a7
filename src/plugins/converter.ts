import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { InvalidBlocksModule } from '../convert/blocks/blocks-module.ts'
import { openConverter, type Converter } from '../convert/converter.ts'
import { InvalidSettings } from '../settings/invalid-settings.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly converter: Converter }
}

/** MiB of heap for one thread: 20 MiB of markdown, the largest input, become a tree of about 700 MiB. */
const memoryMb = 1536

/** Bytes up to which the main thread converts: that takes less than 1 ms, and a thread would take longer under load. */
const inlineMaxBytes = 4096

/** ms for loading the blocks module. */
const maxLoadMs = 5000

/** Bytes of inputs that can wait: 256 of the largest would be 5 GiB; usual ones are far below this limit. */
const maxHeldBytes = 256 * 2 ** 20

/** Adds `app.converter`, which converts between formats in worker threads of its own. */
export default fp(async function converter (app: FastifyInstance) {
  const { config } = app
  const converter = await openConverter({
    threads: config.CONVERSION_THREADS || Math.max(1, Math.floor(availableParallelism() / 2)),
    maxQueue: config.CONVERSION_MAX_QUEUE,
    deadlineMs: config.CONVERSION_TIMEOUT_MS,
    maxHeldBytes,
    memoryMb,
    inlineMaxBytes,
    blocksModule: config.CONVERSION_BLOCKS_MODULE === '' ? undefined : pathToFileURL(config.CONVERSION_BLOCKS_MODULE).href,
    loadTimeoutMs: Math.min(maxLoadMs, app.patienceMs()),
    logger: app.log,
    onConverted: app.metrics.converted,
    onFailed: app.metrics.conversionFailed,
  }).catch((error: unknown) => {
    throw error instanceof InvalidBlocksModule ? new InvalidSettings(`CONVERSION_BLOCKS_MODULE cannot be used: ${error.message}`, { cause: error }) : error
  })
  app.decorate('converter', converter)
  app.addHook('onClose', () => converter.close())
}, { name: 'converter', dependencies: ['env', 'metrics', 'patience'], fastify: '5.x' })
