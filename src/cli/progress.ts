import type { Output } from './output.ts'

/** Characters. */
const barWidth = 30

/** ms between two drawings; more frequent ones make terminals flicker. */
const redrawMs = 80

/** A progress bar on a terminal; on any other stream it writes nothing. */
export class Progress {
  readonly #stream: Output
  readonly #label: string
  readonly #total: number
  #done = 0
  #drawnAt = 0

  constructor (stream: Output, label: string, total: number) {
    this.#stream = stream
    this.#label = label
    this.#total = total
  }

  /** Counts one more step, and draws the bar if it is time to. */
  step (): void {
    this.#done++
    if (this.#stream.isTTY !== true || Date.now() - this.#drawnAt < redrawMs) return
    this.#drawnAt = Date.now()
    const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total)
    const bar = '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░')
    this.#stream.write(`\r${this.#label} ${bar} ${this.#done}/${this.#total}`)
  }

  /** Clears the bar's line for the output that follows. */
  end (): void {
    if (this.#stream.isTTY === true && this.#drawnAt > 0) this.#stream.write('\r\x1b[K')
  }
}
