import * as Y from 'yjs'
import { edited, fragment, sampleMarkdown } from '../conversion/sample.ts'
import type { RunningServer } from '../servers.ts'

const root = '/collaboration/api/documents/'
const yjs = 'application/vnd.yjs.doc'

/** The media types of what is written and read. */
export const mediaTypes = { yjs, markdown: 'text/markdown' } as const

/** The address of a document. */
export const pathOf = (room: string): string => root + encodeURIComponent(room)

/** The entry of a document in the list. */
export interface Listed {
  readonly sequence: number
  /** of snapshot and log */
  readonly bytes: number
}

/** Documents of a running service, as Django writes them. */
export class Documents {
  readonly #server: RunningServer
  readonly #headers: Record<string, string>

  constructor (server: RunningServer) {
    this.#server = server
    this.#headers = { ...server.wire.headers }
  }

  /** @throws unless the answer is a success */
  async send (method: string, path: string, type?: string, body?: string | Uint8Array): Promise<Response> {
    const answer = await fetch(`http://127.0.0.1:${this.#server.port}${path}`, {
      method,
      headers: { ...this.#headers, ...(type !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body }),
    })
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`)
    return answer
  }

  async listed (room: string): Promise<Listed> {
    const answer = await this.send('GET', `${root}?room=${encodeURIComponent(room)}`)
    // The documented shape, with the one document that was asked for.
    const { documents: [document] } = await answer.json() as { documents: Listed[] }
    if (document === undefined) throw new Error(`${room} is not listed`)
    return document
  }

  /**
   * Makes documents that people have edited, of about so many bytes as Yjs. The service compacts each into a snapshot.
   * @returns their content, to be edited further
   */
  async makeEdited (rooms: readonly string[], bytes: number): Promise<Y.Doc> {
    const sized = await this.#convert(sampleMarkdown(bytes))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, edited(await this.#convert(sampleMarkdown(bytes * bytes / edited(sized).length))))
    const content = Y.encodeStateAsUpdate(doc)
    for (const room of rooms) await this.send('POST', pathOf(room), yjs, content)
    return doc
  }

  /** Types so many letters into each document, and has each stored as an update of its own. */
  async type (rooms: readonly string[], doc: Y.Doc, letters: number): Promise<void> {
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    const texts = Array.from(doc.getXmlFragment(fragment).createTreeWalker((node) => node instanceof Y.XmlText))
    for (let i = 0; i < letters; i++) {
      // The walker was told to return nothing else.
      const text = texts[Math.floor(i / letters * texts.length)] as Y.XmlText
      text.insert(1, 'x')
    }
    for (const room of rooms) for (const update of updates) await this.send('PATCH', pathOf(room), yjs, update)
  }

  async #convert (markdown: string): Promise<Uint8Array> {
    const answer = await this.send('POST', '/api/convert/', mediaTypes.markdown, markdown)
    return new Uint8Array(await answer.arrayBuffer())
  }
}
