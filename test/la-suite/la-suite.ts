import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { python, requirePython, start } from '../processes.ts'
import { rootUrl } from '../root.ts'

/** The secret and the API key that La Suite and y-provider share. */
export const secret = 'the-collaboration-server-secret'
export const apiKey = 'the-y-provider-api-key-of-la-suite'

/** A call of La Suite's services to y-provider, with lower-case header names. */
export interface Call {
  readonly sent: Readonly<Record<string, string>>
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A request that Django received. */
export interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** The access of a user, or of anybody with '', to a document. */
export type Rights = Readonly<Record<string, 'edit' | 'read'>>

interface Test { teardown (undo: () => unknown): unknown }

/** The Django side of La Suite Docs, simulated by `la_suite.py`. */
export class LaSuite {
  readonly url: string

  constructor (url: string) {
    this.url = url
  }

  /** Makes a call of La Suite's services to y-provider at `api`. */
  async play (call: 'convert' | 'convert_markdown' | 'reset_connections' | 'get_connections', api: string, args: Readonly<Record<string, string>>): Promise<Call> {
    const { body, ...rest } = await this.#post(`/play/${call}`, { api, ...args }) as Omit<Call, 'body'> & { body: string }
    return { ...rest, body: Buffer.from(body, 'base64') }
  }

  /** Sets the access of users to a document from now on. */
  async allow (document: string, rights: Rights): Promise<void> {
    await this.#post('/rights/', { [document]: rights })
  }

  /** The requests of y-provider and nginx so far, about one document or about users. */
  async asked (about: string): Promise<Question[]> {
    const all = await (await fetch(`${this.url}/asked/`)).json() as Question[]
    return all.filter(({ path, headers }) => (path + (headers['x-original-url'] ?? '')).includes(about))
  }

  async #post (path: string, body: object): Promise<unknown> {
    const answer = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body) })
    return await answer.json()
  }
}

/** Starts the stand-in; it ends with the test. */
export async function startLaSuite (t: Test): Promise<LaSuite> {
  requirePython({ requests: 'python3-requests' })
  const program = fileURLToPath(new URL('test/la-suite/la_suite.py', rootUrl))
  const running = await start(python, [program, secret, apiKey], { ready: /La Suite listens on (\S+)/ })
  t.teardown(() => running.stop())
  // The pattern has this group.
  return new LaSuite(running.ready[1] as string)
}

/** The settings of y-provider that docs/la-suite.md shows under a heading, with the values of a test. */
export function documentedSettings (heading: string, values: Readonly<Record<string, string>>): Record<string, string> {
  const page = readFileSync(new URL('docs/la-suite.md', rootUrl), 'utf8')
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
  const block = /```env\n(.*?)```/s.exec(section)?.[1] ?? ''
  const shown = Object.fromEntries([...block.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
  for (const name of Object.keys(values)) if (!(name in shown)) throw new Error(`docs/la-suite.md does not set ${name} under "${heading}".`)
  return { ...shown, ...values }
}
