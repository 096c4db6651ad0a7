import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { DeletedContent } from '../documents/deleted-content.ts'
import { DocumentCapacity } from '../documents/document-capacity.ts'
import { DocumentWriter } from '../documents/document-writer.ts'
import { openDocumentEditor } from '../documents/edit/document-editor.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly documentWriter: DocumentWriter }
}

/** MiB of heap for one thread, as for a conversion: the largest markdown becomes a tree of about 700 MiB. */
const memoryMb = 1536

/** Bytes of documents and content that can wait for a thread. */
const maxHeldBytes = 512 * 2 ** 20

/** Adds `app.documentWriter`, which writes documents for Django, and makes their updates in threads of its own. */
export default fp(async function documentWriter (app: FastifyInstance) {
  const { config, documents, documentWork, rooms, store } = app
  const editor = await openDocumentEditor({
    threads: config.CONVERSION_THREADS || Math.max(1, Math.floor(availableParallelism() / 2)),
    maxQueue: config.CONVERSION_MAX_QUEUE,
    maxHeldBytes,
    deadlineMs: config.CONVERSION_TIMEOUT_MS,
    memoryMb,
    blocksModule: config.CONVERSION_BLOCKS_MODULE === '' ? undefined : pathToFileURL(config.CONVERSION_BLOCKS_MODULE).href,
    logger: app.log,
  })
  const capacity = new DocumentCapacity({
    maxDocumentBytes: config.MAX_DOCUMENT_BYTES,
    maxDocumentClients: config.MAX_DOCUMENT_CLIENTS,
    maxDocumentDeleteRanges: config.MAX_DOCUMENT_DELETE_RANGES,
  }, documentWork)
  const deletedContent = new DeletedContent(store, documentWork)
  app.decorate('documentWriter', new DocumentWriter({ store, documents, editor, capacity, deletedContent, rooms }))
  app.addHook('onClose', () => editor.close())
}, { name: 'document-writer', dependencies: ['env', 'store', 'document-work', 'documents', 'rooms'], fastify: '5.x' })
