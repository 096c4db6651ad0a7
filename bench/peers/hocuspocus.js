// Hocuspocus as in its documentation: defaults, quiet, with its SQLite extension if PERSIST_DIR is set.
import { join } from 'node:path'
import { Server } from '@hocuspocus/server'

const folder = process.env.PERSIST_DIR
const extensions = []
if (folder) {
  const { SQLite } = await import('@hocuspocus/extension-sqlite')
  extensions.push(new SQLite({ database: join(folder, 'documents.sqlite') }))
}
await new Server({ address: process.env.HOST, port: Number(process.env.PORT), quiet: true, extensions }).listen()
