import { WebSocket } from 'ws'
import { Changes } from './changes.ts'

/** The events of a client's WebSockets and provider. */
export class ClientRecord {
  readonly changes = new Changes()
  /** Close codes of WebSockets that were open, in order */
  readonly closes: Array<{ code: number, reason: string }> = []
  /** HTTP statuses of handshakes that were refused */
  readonly statuses: number[] = []
  /** Reasons of permission-denied messages */
  readonly denied: string[] = []
  /** The access granted by the server, each time it admitted the client (Hocuspocus) or accepted a ticket */
  readonly scopes: string[] = []
  /** Hocuspocus: reasons of in-band Close messages */
  readonly inBandCloses: string[] = []
  /** All events, in order: `message 2`, `in-band close`, `close 4205`, ... */
  readonly events: string[] = []
  readonly sockets: WebSocket[] = []

  get attempts (): number { return this.sockets.length }
  get open (): WebSocket | undefined { return this.sockets.find((socket) => socket.readyState === WebSocket.OPEN) }

  note (event: string): void {
    this.events.push(event)
    this.look()
  }

  /** Tests the waiting conditions again, after the libraries' own handlers of the same event. */
  readonly look = (): void => { setImmediate(this.changes.note) }
}

/**
 * The WebSocket of `ws` with headers that a browser or a proxy would send, which records its events. Providers use it
 * in place of the browser's, since it has the same interface as far as they need.
 */
export function recording (
  record: ClientRecord,
  headers: { readonly [name: string]: string }
): typeof globalThis.WebSocket {
  class RecordingWebSocket extends WebSocket {
    constructor (url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers })
      record.sockets.push(this)
      this.on('open', () => { record.note('open') })
      this.on('message', record.look)
      this.on('error', (error) => {
        const status = /^Unexpected server response: (\d+)$/.exec(error.message)?.[1]
        if (status !== undefined) record.statuses.push(Number(status))
        record.note(`error ${status ?? ''}`)
      })
      this.on('close', (code, reason) => {
        // 1006 if the handshake was refused: its status is in `statuses`.
        if (code !== 1006) record.closes.push({ code, reason: reason.toString() })
        record.note(`close ${code}`)
      })
    }
  }
  return RecordingWebSocket as unknown as typeof globalThis.WebSocket
}
