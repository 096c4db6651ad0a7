import { WorkerDied } from '../workers/pool-errors.ts'
import { PooledWorker } from '../workers/pooled-worker.ts'
import { siblingModule } from '../workers/sibling-module.ts'
import { within } from '../wait/within.ts'
import { InvalidBlocksModule, notLoaded } from './blocks/blocks-module.ts'
import { reviveError } from './thread-errors.ts'

/** MiB of heap for the thread; a table of blocks and its libraries take a few tens. */
const memoryMb = 512

/**
 * Loads the blocks module in a thread, as the conversion threads do. Call it before this thread loads the module: a
 * module that never returns, or that exits the process, would stop the service.
 * @throws InvalidBlocksModule
 */
export async function tryOutBlocksModule (url: string, timeoutMs: number): Promise<void> {
  const { href: module } = siblingModule(import.meta.url, 'convert-task')
  const thread = new PooledWorker({ module, context: url, memoryMb, revive: reviveError })
  try {
    await within(thread.ready, timeoutMs, () => { throw new Error(`it takes longer than ${Math.round(timeoutMs)} ms`) })
  } catch (error) {
    if (error instanceof WorkerDied) throw notLoaded(new Error('it exits the process, or waits for something that never happens'))
    throw error instanceof InvalidBlocksModule ? error : notLoaded(error)
  } finally {
    await thread.terminate()
  }
}
