/**
 * Reads documents over HTTP, in a thread of its own: 100 MB/s here must not delay the echoes that are measured in the
 * main thread. The connections check nothing and copy nothing: an HTTP library would take more time than the service.
 * With `perSecond`, reads are due at that rate, and delays count from then on; without, each connection reads as fast
 * as it is answered. Plain JavaScript, as threads start without tsx. Posts `{ delays, refused, bytes, ms }`: of the
 * answers that arrived in `ms`.
 */
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { port, headers, paths, connections, perSecond, ms } = workerData
const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
const requests = paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${fields}\r\n`))
const endOfHead = '\r\n\r\n'

/** Times at which reads were due that wait for a connection. */
const due = []
const free = []
const delays = []
let sent = 0
let refused = 0
let bytes = 0
let isOver = false

function open () {
  const socket = connect(port, '127.0.0.1')
  let startedAt = 0
  let head
  let left = 0
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    let body = chunk.length
    if (left === 0) {
      head = head === undefined ? chunk : Buffer.concat([head, chunk])
      const end = head.indexOf(endOfHead)
      if (end < 0) return
      const text = head.latin1Slice(0, end)
      if (!text.startsWith('HTTP/1.1 200')) refused++
      left = Number(/content-length: (\d+)/i.exec(text)[1])
      bytes += left
      body = head.length - end - endOfHead.length
      head = undefined
    }
    left -= body
    if (left > 0) return
    if (!isOver) delays.push(performance.now() - startedAt)
    next()
  })
  socket.once('error', (error) => { throw error })
  socket.once('close', () => { if (!isOver) throw new Error('The service has closed a connection') })

  const read = (at) => {
    startedAt = at
    socket.write(requests[sent++ % requests.length])
  }
  const next = () => {
    if (isOver) socket.destroy()
    else if (perSecond === undefined) read(performance.now())
    else if (due.length > 0) read(due.shift())
    else free.push(read)
  }
  socket.once('connect', next)
}

for (let i = 0; i < connections; i++) open()
const start = performance.now()
let offered = 0
const timer = setInterval(() => {
  const now = performance.now()
  if (now - start >= ms) {
    clearInterval(timer)
    isOver = true
    parentPort.postMessage({ delays: Float64Array.from(delays), refused, bytes, ms: now - start })
    // Idle connections would keep the thread alive.
    setImmediate(() => process.exit(0))
    return
  }
  if (perSecond === undefined) return
  for (; offered < (now - start) / 1000 * perSecond; offered++) {
    const at = start + offered / perSecond * 1000
    const read = free.pop()
    if (read === undefined) due.push(at)
    else read(at)
  }
}, 1)
