/** Two nodes behind Debian's nginx are restarted one after the other while two people type. */
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import t from 'tap'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { startRedis } from '../cluster/redis-server.ts'
import { startService, type Service } from '../crash/service.ts'
import { mint } from '../service/tickets.ts'
import { freePort } from '../free-port.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { NginxProcess } from './nginx-process.ts'

const room = 'plan'

/** A person who types a word every few ms, and the events of the connection. */
class Person {
  readonly doc = new Y.Doc()
  readonly #name: string
  readonly #timer: NodeJS.Timeout
  #count = 0
  /** Attempts to connect since the last connection was lost, for each loss */
  readonly attempts: number[] = []
  /** ms without a connection, for each completed loss */
  readonly gaps: number[] = []
  #lostAt: number | undefined
  #waiting = new Set<() => void>()

  constructor (name: string) {
    this.#name = name
    this.doc.on('update', () => { this.#look() })
    this.#timer = setInterval(() => { this.doc.getArray('words').push([`${name}${this.#count++}`]) }, 5)
  }

  get words (): string[] { return Array.from({ length: this.#count }, (_, i) => `${this.#name}${i}`) }
  stopTyping (): void { clearInterval(this.#timer) }

  /** The WebSocket for a provider: through nginx, and watched. */
  get polyfill (): typeof globalThis.WebSocket {
    const connecting = (): void => { this.attempts.push((this.attempts.pop() ?? 0) + 1) }
    const opened = (): void => { this.#opened() }
    const lost = (wasOpen: boolean): void => { if (wasOpen) this.#lost() }
    class Watched extends WebSocket {
      constructor (url: string | URL) {
        super(url, { headers: { origin: 'http://localhost:3000' } })
        let wasOpen = false
        connecting()
        this.on('error', () => {})
        this.on('open', () => { wasOpen = true; opened() })
        this.on('close', () => { lost(wasOpen) })
      }
    }
    this.attempts.push(0)
    return Watched as unknown as typeof globalThis.WebSocket // `ws` has the interface of the browser's
  }

  /** Resolves when `check` holds, tested after each event. */
  async until (check: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => { if (check()) { this.#waiting.delete(look); resolve() } }
      this.#waiting.add(look)
      look()
    })
  }

  has (words: readonly string[]): boolean { return this.doc.getArray('words').length === words.length }

  #opened (): void {
    if (this.#lostAt !== undefined) this.gaps.push(performance.now() - this.#lostAt)
    this.#lostAt = undefined
    this.#look()
  }

  #lost (): void {
    this.#lostAt = performance.now()
    this.attempts.push(0)
    this.#look()
  }

  #look (): void { for (const look of [...this.#waiting]) look() }
}

t.test('In a rolling restart every client reconnects at the first attempt, and nothing is lost', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  const nginx = new NginxProcess()
  const ports = [await freePort(), await freePort()]
  const env = { DATABASE_URL: await postgres.makeSchema('y_provider'), REDIS_URL: redis.url }
  const startNode = (port: number): Promise<Service> => startService('', { ...env, PORT: String(port) })
  const nodes = await Promise.all(ports.map(startNode))
  t.teardown(async () => {
    await nginx.remove()
    await Promise.all(nodes.map((node) => node.stop('SIGKILL')))
    await Promise.all([redis.remove(), postgres.stop()])
  })
  const nginxPort = await freePort()
  await nginx.start('cookies', {
    DJANGO_ADDRESS: '127.0.0.1:9',
    Y_PROVIDER_ADDRESS: ports.map((port) => `127.0.0.1:${port}`).join(' '),
    NGINX_LISTEN: `127.0.0.1:${nginxPort}`,
    NGINX_SERVER_NAME: '127.0.0.1',
  })
  const url = `ws://127.0.0.1:${nginxPort}/collaboration/ws`
  const token = await mint(room, { can_edit: true, exp: Math.floor(Date.now() / 1000) + 3600 })
  const [ann, bob] = [new Person('a'), new Person('b')]
  const people = [ann, bob]
  const provider = new WebsocketProvider(url, room, ann.doc, {
    WebSocketPolyfill: ann.polyfill,
    disableBc: true,
    params: { token },
  })
  const websocketProvider = new HocuspocusProviderWebsocket({ url: `${url}/?room=${room}`, WebSocketPolyfill: bob.polyfill })
  const hocuspocus = new HocuspocusProvider({ websocketProvider, name: room, document: bob.doc, token })
  hocuspocus.attach()
  t.teardown(() => {
    for (const person of people) person.stopTyping()
    provider.destroy()
    provider.awareness.destroy()
    hocuspocus.destroy()
    websocketProvider.destroy()
  })
  const seeEachOther = async (): Promise<void> => {
    const last = people.map(({ words }) => words.at(-1) ?? '')
    await Promise.all(people.map((person) => person.until(() => {
      const seen = new Set(person.doc.getArray('words').toArray())
      return last.every((word) => seen.has(word))
    })))
  }
  await ann.until(() => ann.words.length > 0 && bob.words.length > 0)
  await seeEachOther()
  for (const [at, port] of ports.entries()) {
    const losses = people.map(({ attempts }) => attempts.length)
    t.equal(await nodes[at]?.stop('SIGTERM'), 0)
    // Clients of this node have lost their connection by now, or are about to notice.
    await Promise.all(people.map(async (person, i) => {
      if (person.attempts.length <= (losses[i] ?? 0)) return
      await person.until(() => person.gaps.length === person.attempts.length - 1)
    }))
    await seeEachOther()
    nodes[at] = await startNode(port)
  }
  for (const person of people) person.stopTyping()
  const expected = people.flatMap(({ words }) => words).sort()
  await Promise.all(people.map((person) => person.until(() => person.has(expected))))
  for (const { doc } of people) t.strictSame((doc.getArray('words').toArray() as string[]).sort(), expected, 'each word once') // only strings were put in
  t.ok(people.some(({ gaps }) => gaps.length > 0), 'a client was on a node that was restarted')
  t.strictSame(people.flatMap(({ attempts }) => attempts.filter((count) => count !== 1)), [], 'each attempt to connect succeeded')
  t.comment(`without a connection for ${people.flatMap(({ gaps }) => gaps.map(Math.round)).join(', ')} ms`)
})
