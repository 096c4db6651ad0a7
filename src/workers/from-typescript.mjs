/** Runs a TypeScript module in a worker thread, for development and tests: the loader of the main thread does not reach here. */
import { workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
const settings = Array.isArray(workerData) ? workerData[1] : workerData
const { default: run } = await import(settings.module)

export default run
