import { ByteWriter } from '../../src/update/byte-writer.ts'
import type { Clocks } from '../../src/update/merge-updates.ts'

/** Numbers from a seed (mulberry32), the same everywhere. */
export class Random {
  #state: number

  constructor (seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer from 0 to `below` - 1. */
  int (below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1)
    bits ^= bits + Math.imul(bits ^ bits >>> 7, bits | 61)
    return Math.floor(((bits ^ bits >>> 14) >>> 0) / 2 ** 32 * below)
  }

  /** One of the values. */
  pick<T> (values: readonly T[]): T {
    return values[this.int(values.length)]!
  }

  /** True once in so many times. */
  chance (oneIn: number): boolean {
    return this.int(oneIn) === 0
  }
}

/** Clients of the base documents (1, 2, 3), unknown ones, and one whose id takes 53 bits. */
const clients = [1, 1, 1, 2, 2, 3, 4, 5, 2 ** 53 - 1]
const farClocks = [2 ** 31, 2 ** 32 + 1, 2 ** 50, 2 ** 52 - 1, 2 ** 53 - 2]
const roots = ['text', 'array', 'map', 'xml', '', 'other']

/**
 * A well-formed update without any sense: it refers to anything, in any direction, and holds anything.
 * @param clocks client → the first clock that the document does not hold, where most structs begin
 */
export function absurdUpdate (random: Random, clocks: Clocks): Uint8Array {
  const writer = new ByteWriter(256)
  const sections = random.int(4)
  writer.varUint(sections)
  const order = Array.from({ length: sections }, () => random.pick(clients))
  if (!random.chance(8)) order.sort((a, b) => b - a)
  for (const client of order) new Section(random, writer, clocks, client).write()
  writeDeletes(random, writer)
  return writer.finish()
}

/** One client's structs, of any kind. */
class Section {
  readonly #random: Random
  readonly #writer: ByteWriter
  readonly #clocks: Clocks
  readonly #client: number
  #clock = 0

  constructor (random: Random, writer: ByteWriter, clocks: Clocks, client: number) {
    this.#random = random
    this.#writer = writer
    this.#clocks = clocks
    this.#client = client
  }

  write (): void {
    const random = this.#random
    const count = random.chance(20) ? 0 : 1 + random.int(4)
    const next = this.#clocks.get(this.#client) ?? 0
    this.#clock = random.chance(40) ? random.pick(farClocks) : random.chance(4) ? random.int(next + 3) : next
    this.#writer.varUint(count)
    this.#writer.varUint(this.#client)
    this.#writer.varUint(this.#clock)
    for (let i = 0; i < count; i++) this.#struct()
  }

  #struct (): void {
    const kind = this.#random.pick([0, 1, 2, 3, 4, 4, 4, 5, 6, 6, 7, 7, 7, 8, 8, 9, 10])
    if (kind === 0 || kind === 10) this.#writer.byte(kind)
    else this.#header(kind)
    this.#content(kind)
  }

  #header (kind: number): void {
    const random = this.#random
    const info = kind | random.pick([0, 0x80, 0x80, 0x40, 0xc0, 0xc0, 0x20, 0x20, 0xa0])
    this.#writer.byte(info)
    if ((info & 0x80) !== 0) this.#id()
    if ((info & 0x40) !== 0) this.#id()
    if ((info & 0xc0) !== 0) return
    if (random.chance(2)) {
      this.#writer.varUint(1)
      this.#text(random.pick(roots))
    } else {
      this.#writer.varUint(0)
      this.#id()
    }
    if ((info & 0x20) !== 0) this.#text(random.pick(['k', 'k', 'id', '']))
  }

  /** Writes an id that mostly exists: one that is held, or one of this section. */
  #id (): void {
    const random = this.#random
    const client = random.chance(3) ? this.#client : random.pick(clients)
    const held = client === this.#client ? Math.max(this.#clock, 1) : (this.#clocks.get(client) ?? 0)
    this.#writer.varUint(client)
    this.#writer.varUint(random.chance(60) ? random.pick(farClocks) : this.#clockBelow(held))
  }

  #clockBelow (held: number): number {
    const random = this.#random
    if (random.chance(12) || held > 2 ** 40) return random.int(40)
    return Math.max(0, held - 1 - random.int(Math.min(held + 1, 30)))
  }

  #content (kind: number): void {
    const [random, writer] = [this.#random, this.#writer]
    this.#clock++
    switch (kind) {
      case 0: case 1: case 10: this.#length(random.chance(40) ? random.pick(farClocks) : this.#count()); break
      case 2: this.#list(() => this.#text(random.pick(['undefined', '1', '{"a":1}']))); break
      case 3: writer.varUint(1); writer.byte(9); break
      case 4: this.#string(); break
      case 5: this.#text('{"e":1}'); break
      case 6: this.#text(random.pick(['bold', 'color'])); this.#text(random.pick(['true', 'null', '"red"', '{}'])); break
      case 7: this.#type(random.int(7)); break
      case 8: this.#list(() => writer.byte(random.pick([126, 120]))); break
      default: this.#subdocument()
    }
  }

  #count (): number {
    return this.#random.chance(20) ? 0 : 1 + this.#random.int(4)
  }

  #length (length: number): void {
    this.#writer.varUint(length)
    this.#clock += length - 1
  }

  #list (write: () => void): void {
    const count = this.#count()
    this.#length(count)
    for (let i = 0; i < count; i++) write()
  }

  #string (): void {
    const text = this.#random.pick(['', 'x', 'x', 'xy', 'xyz', '😀', 'a😀b', 'hello'])
    this.#text(text)
    this.#clock += text.length - 1
  }

  #type (type: number): void {
    this.#writer.varUint(type)
    if (type === 3 || type === 5) this.#text('p')
  }

  #subdocument (): void {
    const [random, writer] = [this.#random, this.#writer]
    this.#text(`sub${random.int(3)}`)
    const options = random.int(3)
    writer.byte(118)
    writer.varUint(options)
    for (let i = 0; i < options; i++) {
      this.#text(random.pick(['gc', 'guid', 'meta', 'autoLoad', 'shouldLoad']))
      writer.byte(random.pick([120, 121, 126, 127]))
    }
  }

  #text (text: string): void {
    const bytes = Buffer.from(text)
    this.#writer.varUint(bytes.length)
    this.#writer.copy(bytes)
  }
}

function writeDeletes (random: Random, writer: ByteWriter): void {
  const count = random.int(4)
  writer.varUint(count)
  for (let i = 0; i < count; i++) {
    writer.varUint(random.pick(clients))
    const ranges = random.int(4)
    writer.varUint(ranges)
    for (let range = 0; range < ranges; range++) {
      writer.varUint(random.chance(40) ? random.pick(farClocks) : random.int(30))
      writer.varUint(random.chance(20) ? 0 : 1 + random.int(8))
    }
  }
}
