import { chromium } from 'playwright-core'
import t from 'tap'
import { freePort } from '../free-port.ts'
import { requireProgram, start } from '../processes.ts'

const chromiumPath = '/usr/bin/chromium'

t.before(() => { requireProgram(chromiumPath, 'chromium') })

t.test('`make dev` opens a page on which two people edit one document', async (t) => {
  const [port, demoPort] = [await freePort(), await freePort()]
  const env = { PORT: String(port), DEMO_PORT: String(demoPort), DATA_DIR: t.testdir(), NODE_ENV: '', COLLABORATION_SERVER_SECRET: '', COLLABORATION_SERVER_ORIGIN: '' }
  const service = await start(process.execPath, ['scripts/dev.mjs'], { ready: /Server listening/, env })
  t.teardown(() => service.stop())
  t.match(service.output(), `see it work     http://localhost:${demoPort}`)

  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`http://localhost:${demoPort}/?room=a-test`)
  await page.waitForSelector('section:nth-child(2) [data-state=connected]')
  const people = page.locator('section')

  await page.getByRole('textbox', { name: 'Document, as Ada sees it' }).click()
  await page.keyboard.type('# Hello from Ada')
  await people.nth(1).locator('h1:has-text("Hello from Ada")').waitFor()

  await people.nth(1).getByRole('button').click()
  // No click: the editor takes over a moment later, and would move the cursor from the end back into the heading.
  await page.getByRole('textbox', { name: 'Document, as Grace sees it' }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(' and Grace, offline')
  await people.nth(1).getByRole('button').click()
  // If the editor has added an empty block after the heading, the cursor is in that block.
  await people.nth(0).getByText('and Grace, offline').waitFor()

  await page.reload()
  await people.nth(0).getByText('and Grace, offline').waitFor()
  await people.nth(0).locator('h1:has-text("Hello from Ada")').waitFor()
  t.same(complaints, [])
})
