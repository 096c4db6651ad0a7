import type { SampleDocument } from '../documents.ts'
import { Client, type Target } from './client.ts'
import { Reader } from './reader.ts'

/**
 * Uploads a document into a room and waits until a second client has all of it.
 * @returns the client that uploaded it, still connected
 */
export async function upload (target: Target, room: string, document: SampleDocument): Promise<Client> {
  const writer = new Client(target, room)
  await writer.join()
  for (const update of document.updates) writer.sendUpdate(update)
  const reader = new Reader(target, room, document.clocks)
  await reader.sync()
  reader.client.leave()
  return writer
}
