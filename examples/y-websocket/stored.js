// stored.js
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const STORED = 100

/**
 * Reports whether everything written in this window is in the server's store: calls onChange(true) when all of it is
 * stored, and onChange(false) while it is not. For y-websocket's WebsocketProvider, 1.x to 3.x.
 */
export function watchStored (provider, onChange) {
  let number = 0
  let timer
  const ask = () => {
    clearTimeout(timer)
    if (!provider.synced) return // asks again at the next sync
    const question = encoding.createEncoder()
    encoding.writeVarUint(question, STORED)
    encoding.writeVarUint(question, ++number)
    provider.ws.send(encoding.toUint8Array(question))
  }
  provider.messageHandlers[STORED] = (_encoder, decoder) => {
    const isLatest = decoding.readVarUint(decoder) === number
    const isStored = decoding.readVarUint(decoder) === 1
    if (isLatest) onChange(isStored)
  }
  provider.doc.on('update', (_update, origin) => {
    if (origin === provider) return
    number++ // answers to earlier questions do not cover this update
    onChange(false)
    clearTimeout(timer)
    timer = setTimeout(ask, 200)
  })
  provider.on('sync', (isSynced) => { if (isSynced) ask() })
}
