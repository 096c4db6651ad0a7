import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import * as Y from 'yjs'
import { Client, within, type Target } from '../load/client.ts'
import { Histogram } from '../load/histogram.ts'

const patienceMs = 120_000

/** Two people in a room of their own, whose delays show the effect of other clients on the service. */
export class HonestPair {
  readonly #writer: Client
  readonly #reader: Client
  readonly #doc = new Y.Doc()
  readonly #heard = new EventEmitter()

  static async join (target: Target, room: string): Promise<HonestPair> {
    const pair = new HonestPair(target, room)
    await pair.#writer.join()
    await pair.#reader.join()
    pair.#reader.onMessage = ({ kind }) => { if (kind === 'update') pair.#heard.emit('update') }
    return pair
  }

  private constructor (target: Target, room: string) {
    this.#writer = new Client(target, room)
    this.#reader = new Client(target, room)
  }

  /**
   * @returns ms from sending a paste of so many bytes until its arrival, for each of `times` in a row
   * @throws if one does not arrive
   */
  async measure (bytes: number, times: number): Promise<Histogram> {
    const delays = new Histogram()
    for (let i = 0; i < times; i++) delays.add(await this.#echo(bytes))
    return delays
  }

  /**
   * @returns ms from each keystroke until its arrival, one every `pauseMs` until `end` is settled
   * @throws if one does not arrive
   */
  async measureWhile (end: Promise<unknown>, pauseMs = 20): Promise<Histogram> {
    const delays = new Histogram()
    const ended = new AbortController()
    const abort = (): void => { ended.abort() }
    end.then(abort, abort)
    while (!ended.signal.aborted) {
      delays.add(await this.#echo(1))
      await delay(pauseMs)
    }
    return delays
  }

  async #echo (bytes: number): Promise<number> {
    const before = Y.encodeStateVector(this.#doc)
    this.#doc.getText('text').insert(0, 'x'.repeat(bytes))
    const arrived = once(this.#heard, 'update')
    const sentAt = performance.now()
    this.#writer.sendUpdate(Y.encodeStateAsUpdate(this.#doc, before))
    await within(patienceMs, arrived, `an update of ${bytes} bytes had not arrived (writer closed: ${this.#writer.closeCode ?? 'no'})`)
    return performance.now() - sentAt
  }

  leave (): void {
    this.#writer.leave()
    this.#reader.leave()
  }
}
