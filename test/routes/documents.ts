import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import * as Y from 'yjs'
import { asDjango } from '../helper.ts'

export const yjs = 'application/vnd.yjs.doc'
export const json = 'application/vnd.blocknote+json'
export const markdown = 'text/markdown'

/** The path of a document. */
export const documentUrl = (room: string, query = ''): string =>
  `/collaboration/api/documents/${encodeURIComponent(room)}/${query}`

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Sends a request as Django does. A text is markdown, unless a header says otherwise. */
export async function call (
  app: FastifyInstance,
  method: Method,
  url: string,
  payload?: string | Uint8Array,
  headers: Record<string, string> = {}
): Promise<LightMyRequestResponse> {
  const type = payload === undefined ? {} : { 'content-type': typeof payload === 'string' ? markdown : yjs }
  const body = payload === undefined ? {} : { payload: typeof payload === 'string' ? payload : Buffer.from(payload) }
  return await app.inject({ method, url, headers: { ...asDjango, ...type, ...headers }, ...body })
}

/** A document as markdown. */
export async function markdownOf (app: FastifyInstance, room: string): Promise<string> {
  return (await call(app, 'GET', documentUrl(room), undefined, { accept: markdown })).body
}

/** A document as it is stored. */
export async function docOf (app: FastifyInstance, room: string): Promise<Y.Doc> {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, (await call(app, 'GET', documentUrl(room))).rawPayload)
  return doc
}

/** The update of a new document with a text. */
export function textUpdate (text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
