import { everyone, type Bus, type BusListener, type NodeId } from './bus.ts'

/** Connects the nodes of one process: one in a service of one process, several in tests. */
export class LocalExchange {
  readonly #listeners = new Map<NodeId, BusListener>()
  readonly #cut = new Set<NodeId>()
  #waiting: Array<() => void> = []
  #isScheduled = false

  /** An `OpenBus` for this exchange. */
  readonly open = async (node: NodeId, listener: BusListener): Promise<Bus> => {
    this.#listeners.set(node, listener)
    return {
      node,
      send: (to, message) => { this.#send(node, to, message) },
      close: async () => {
        await new Promise<void>((resolve) => { this.#later(resolve) })
        this.#listeners.delete(node)
      },
    }
  }

  /** Drops all messages from and to a node. */
  cut (node: NodeId): void {
    this.#cut.add(node)
  }

  /** Ends a cut and notifies the node. */
  restore (node: NodeId): void {
    if (this.#cut.delete(node)) this.#listeners.get(node)?.restored()
  }

  #send (from: NodeId, to: NodeId | typeof everyone, message: Uint8Array): void {
    const receivers = to === everyone ? [...this.#listeners.keys()] : [to]
    for (const receiver of receivers) {
      if (this.#cut.has(from) || this.#cut.has(receiver)) continue
      const copy = new Uint8Array(message)
      this.#later(() => { this.#listeners.get(receiver)?.received(from, copy) })
    }
  }

  #later (deliver: () => void): void {
    this.#waiting.push(deliver)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      for (const next of this.#waiting.splice(0)) next()
    })
  }
}
