import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp, type BuildOptions } from '../src/app.ts'

/** The part of a tap test that the tests use. */
interface Test { testdir (): string, teardown (undo: () => unknown): unknown }

/** The shared secret of every test's service. */
export const secret = 'a-secret-that-only-tests-know'

/** The headers that Django sends. */
export const asDjango = { authorization: secret }

/** A service with default settings and a folder of its own, closed when the test ends. `env` adds settings. */
export async function build (t: Test, env: Record<string, string> = {}, logger: BuildOptions['logger'] = false): Promise<FastifyInstance> {
  const app = await buildApp({ env: { COLLABORATION_SERVER_SECRET: secret, DATA_DIR: t.testdir(), PORT: '0', ...env }, logger })
  t.teardown(() => app.close())
  return app
}

/** Like `start`, and listening on a free port of 127.0.0.1. */
export async function listen (t: Test, env?: Record<string, string>, logger?: BuildOptions['logger']): Promise<{ app: FastifyInstance, port: number, url: string, wsUrl: string }> {
  const app = await build(t, env, logger)
  await app.listen({ host: '127.0.0.1', port: 0 })
  // listen() on a TCP port gives an object; only pipes give a string.
  const { port } = app.server.address() as AddressInfo
  return { app, port, url: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}` }
}
