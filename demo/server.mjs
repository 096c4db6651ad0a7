// The page that `make dev` serves, on an origin of its own, in the place of Django and its front end. Development only.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { SignJWT } from 'jose'

/** Seconds for which a ticket of the demo is valid; the page renews its connections every two minutes. */
const ticketLifetime = 300

/**
 * Serves the page on `port`; 0 means any free one.
 * @returns the address, the port and a function that stops the server; undefined if the port is taken
 */
export async function startDemo ({ port, secret, serviceUrl }) {
  const here = (name) => fileURLToPath(new URL(name, import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [here('demo.js')],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    outdir: here('.'),
    logLevel: 'warning',
    loader: { '.woff2': 'dataurl' },
  })
  const bundled = (ending, type) => ({ type, body: outputFiles.find(({ path }) => path.endsWith(ending))?.contents })
  const files = new Map([
    ['/', { type: 'text/html', body: await readFile(here('index.html')) }],
    ['/page.css', { type: 'text/css', body: await readFile(here('page.css')) }],
    ['/demo.js', bundled('demo.js', 'text/javascript')],
    ['/demo.css', bundled('demo.css', 'text/css')],
  ])
  const key = new TextEncoder().encode(secret)

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    const file = files.get(pathname)
    if (file) return response.setHeader('Content-Type', `${file.type}; charset=utf-8`).end(file.body)
    if (pathname !== '/ticket') return response.writeHead(404).end()
    const claims = {
      room: searchParams.get('room') ?? '',
      user_id: searchParams.get('user') ?? '',
      can_edit: searchParams.get('edit') === 'true',
    }
    const ticket = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(Math.floor(Date.now() / 1000) + ticketLifetime)
      .sign(key)
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ url: serviceUrl, ticket }))
  })
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error))
    server.listen(port, '127.0.0.1', () => {
      const { port } = server.address()
      resolve({ address: `http://localhost:${port}`, port, close })
    })
  })
}
