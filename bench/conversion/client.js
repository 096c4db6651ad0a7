/**
 * A client that converts, in a thread of its own: reading 50 MB here must not delay the echoes that are measured in
 * the main thread. Plain JavaScript, as threads start without tsx. Posts `{ status, ms }`.
 */
import { request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

const { port, headers, body } = workerData
const start = performance.now()
const call = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/convert/', headers: { ...headers, 'content-type': 'text/markdown', 'content-length': body.length } })
call.once('response', (answer) => {
  answer.resume()
  answer.once('end', () => parentPort.postMessage({ status: answer.statusCode, ms: performance.now() - start }))
})
call.end(body)
