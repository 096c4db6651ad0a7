import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { carryError } from './carried-error.ts'
import { Moved, type TaskMessage, type TaskModule, type WorkerMessage, type WorkerSettings } from './messages.ts'

// The entry of a worker thread: loads the task module and does one task after the other.

// Only `PooledWorker` starts this file, and with these settings.
const settings = workerData as WorkerSettings
const port = parentPort
if (port === null) throw new Error('This module runs in a worker thread only')

// The opener of the pool names the module.
const module = await import(settings.module) as TaskModule
try {
  await module.start?.(settings.context)
  port.on('message', onTask)
  post({ ready: true })
} catch (error) {
  post({ startError: carryError(error, module.describeError) })
}

function onTask ({ task }: TaskMessage): void {
  perform(task).then(
    (result) => {
      if (result instanceof Moved) post({ result: result.value, heapBytes: heapBytes() }, result.transfer)
      else post({ result, heapBytes: heapBytes() })
    },
    fail
  ).catch(fail)
}

async function perform (task: unknown): Promise<unknown> {
  return await module.default(task)
}

function fail (error: unknown): void {
  post({ error: carryError(error, module.describeError), heapBytes: heapBytes() })
}

/** Bytes of memory that the thread keeps, its buffers included. */
function heapBytes (): number {
  const { total_heap_size: heap, external_memory: buffers } = getHeapStatistics()
  return heap + buffers
}

function post (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, [...transfer])
}
