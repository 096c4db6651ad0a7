import { chromium, type Page } from 'playwright-core'
import { freePort } from '../free-port.ts'
import { requireProgram, start, type Running } from '../processes.ts'

const chromiumPath = '/usr/bin/chromium'
const chromiumOptions = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** The part of a tap test that a demo needs. */
interface Test { testdir (): string, teardown (undo: () => unknown): unknown }

/** The demo, and a window of Chromium that has not opened it yet. */
export interface Demo {
  readonly page: Page
  /** Where the demo is, without a slash at the end. */
  readonly address: string
  /** Where the service is, without a slash at the end. Its secret is `my-secret`. */
  readonly serviceUrl: string
  readonly service: Running
  /** The messages of all exceptions that the page has not caught. */
  readonly complaints: readonly string[]
}

/**
 * Runs `make dev` with default settings, a folder of its own and free ports until the test ends.
 * @throws if Chromium is not installed, or the service does not start
 */
export async function openDemo (t: Test): Promise<Demo> {
  requireProgram(chromiumPath, 'chromium')
  const [port, demoPort] = [await freePort(), await freePort()]
  const env = { PORT: String(port), DEMO_PORT: String(demoPort), DATA_DIR: t.testdir(), NODE_ENV: '', COLLABORATION_SERVER_SECRET: '', COLLABORATION_SERVER_ORIGIN: '' }
  const service = await start(process.execPath, ['scripts/dev.mjs'], { ready: /Server listening at/, env })
  t.teardown(() => service.stop())

  const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumOptions })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  return { page, address: `http://localhost:${demoPort}`, serviceUrl: `http://127.0.0.1:${port}`, service, complaints }
}
