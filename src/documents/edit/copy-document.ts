import * as Y from 'yjs'
import { newClientId, OpenDocument } from './open-document.ts'
import { TypeCloner } from './type-cloner.ts'

/**
 * Makes a new document with what is visible in another one. Nothing of its history is left: neither deleted content nor
 * the client ids of those who wrote it. All is written by one new client, so that the copy can never be taken for a
 * state of the original.
 * @param state the whole document as one update, V1
 * @param withoutComments leaves out comments: their marks on text, and threads of BlockNote's `YjsThreadStore`
 * @returns undefined if nothing is visible
 * @throws DamagedState
 */
export function copyDocument (state: Uint8Array, withoutComments: boolean): Uint8Array | undefined {
  const { doc } = new OpenDocument(state)
  const copy = new Y.Doc({ gc: false })
  copy.clientID = newClientId()
  const cloner = new TypeCloner(withoutComments ? { keepsFormat: isNoComment, keepsEntry: isNoThread } : {})
  copy.transact((transaction) => {
    for (const [name, root] of doc.share) cloner.append(transaction, root, copy.get(name))
  })
  return copy.store.clients.size === 0 ? undefined : Y.encodeStateAsUpdate(copy)
}

/** The anchor of a comment is stored as `comment`, or as `comment--<hash>` where several can overlap. */
function isNoComment (key: string): boolean {
  return key !== 'comment' && !key.startsWith('comment--')
}

function isNoThread (value: unknown): boolean {
  const isThread = value instanceof Y.Map && value.get('comments') instanceof Y.Array && value.has('resolved')
  return !isThread
}
