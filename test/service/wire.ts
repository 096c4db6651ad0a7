import { once } from 'node:events'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import type { Test } from './clients.ts'

/** A bare WebSocket that sends and hears bytes, for what no library would send. */
export class Wire {
  readonly ws: WebSocket
  /** Binary messages so far */
  readonly heard: Uint8Array[] = []
  closed: { code: number, reason: string } | undefined
  /** HTTP status where the handshake was refused, and its body */
  refused: { status: number, body: string } | undefined
  /** Whether the answer was no upgrade: then there is nothing left to end. */
  isRefused = false
  readonly #waiting = new Set<() => void>()

  constructor (url: string, headers: { readonly [name: string]: string } = {}) {
    this.ws = new WebSocket(url, { headers })
    // Without fragments a message is one Buffer.
    this.ws.on('message', (data) => { this.heard.push(new Uint8Array(data as Buffer)) })
    this.ws.on('unexpected-response', (request, response) => {
      this.isRefused = true
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text }).on('error', () => {}).once('close', () => {
        this.refused = { status: response.statusCode ?? 0, body }
        request.destroy()
        this.#look()
      })
    })
    this.ws.on('error', () => {})
    this.ws.on('close', (code, reason) => { this.closed ??= { code, reason: reason.toString() } })
    for (const event of ['message', 'close', 'open']) this.ws.on(event, () => { this.#look() })
  }

  get isOpen (): boolean { return this.ws.readyState === WebSocket.OPEN }

  /** Resolves when `check` holds, looked at after each event. */
  async until (check: (wire: this) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!check(this)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  #look (): void { for (const look of [...this.#waiting]) look() }
}

/** Opens a bare WebSocket, which ends with the test. */
export function wire (t: Test, url: string, headers?: { readonly [name: string]: string }): Wire {
  const opened = new Wire(url, headers)
  t.teardown(() => { if (!opened.isRefused) opened.ws.terminate() })
  return opened
}

/** The same, once it is open. */
export async function openWire (t: Test, url: string, headers?: { readonly [name: string]: string }): Promise<Wire> {
  const opened = wire(t, url, headers)
  await once(opened.ws, 'open')
  return opened
}

/** A Hocuspocus message about a document. */
export function about (name: string, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, name)
    write(encoder)
  })
}

/** Numbers and byte strings, one behind the other. */
export function bytes (...parts: Array<number | string | Uint8Array>): (encoder: encoding.Encoder) => void {
  return (encoder) => {
    for (const part of parts) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part)
      else if (typeof part === 'string') encoding.writeVarString(encoder, part)
      else encoding.writeVarUint8Array(encoder, part)
    }
  }
}

/** A Hocuspocus message, as far as tests look into it. */
export function read (message: Uint8Array): { name: string, type: number, rest: number[] } {
  const decoder = decoding.createDecoder(message)
  const name = decoding.readVarString(decoder)
  const type = decoding.readVarUint(decoder)
  return { name, type, rest: [...decoding.readTailAsUint8Array(decoder)] }
}
