import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { type CarriedError, Moved, type TaskMessage, type TaskModule, type WorkerMessage, type WorkerSettings } from './messages.ts'

/** The entry of a worker thread: loads the task module and does one task after the other. */

// Only `PooledWorker` starts this file, and with these settings.
const settings = workerData as WorkerSettings
const port = parentPort
if (port === null) throw new Error('This module runs in a worker thread only')

// The module is named by whoever opens the pool; a wrong one fails its first task, see `PooledWorker`.
const module = await import(settings.module) as TaskModule
await module.start?.(settings.context)

port.on('message', ({ task }: TaskMessage) => {
  perform(task).then(
    (result) => {
      if (result instanceof Moved) post({ result: result.value, heapBytes: heapBytes() }, result.transfer)
      else post({ result, heapBytes: heapBytes() })
    },
    fail
  ).catch(fail)
})
post({ ready: true })

async function perform (task: unknown): Promise<unknown> {
  return await module.default(task)
}

function fail (error: unknown): void {
  post({ error: carry(error), heapBytes: heapBytes() })
}

/** What the thread has taken of memory and keeps, its buffers included. */
function heapBytes (): number {
  const { total_heap_size: heap, external_memory: buffers } = getHeapStatistics()
  return heap + buffers
}

function post (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, [...transfer])
}

function carry (error: unknown): CarriedError {
  if (!(error instanceof Error)) return { name: 'Error', message: 'The task failed' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { name: error.name, message: error.message, code, stack: error.stack }
}
