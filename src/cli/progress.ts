import type { WriteStream } from 'node:tty'

const BAR_WIDTH = 30

/** Terminals flicker when they are written to more often. */
const REDRAW_MS = 80

/** A bar on a terminal; nothing where the output goes elsewhere. */
export class Progress {
  readonly #stream: WriteStream
  readonly #label: string
  readonly #total: number
  #done = 0
  #drawnAt = 0

  constructor (stream: WriteStream, label: string, total: number) {
    this.#stream = stream
    this.#label = label
    this.#total = total
  }

  step (): void {
    this.#done++
    if (!this.#stream.isTTY || Date.now() - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = Date.now()
    const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total)
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░')
    this.#stream.write(`\r${this.#label} ${bar} ${this.#done}/${this.#total}`)
  }

  /** Clears the line for what is to be said. */
  end (): void {
    if (this.#stream.isTTY && this.#drawnAt > 0) this.#stream.write('\r\x1b[K')
  }
}
