/** The example as two people see it: Chromium, nginx, Django, y-provider. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from '../nginx/site.ts'
import { requireProgram } from '../processes.ts'
import { root } from '../root.ts'

const program = '/usr/bin/chromium'

/** The same as in examples/django/start. */
function bundleEditor (project: string): void {
  const sources = ['editor.js', 'documents.js'].map((name) => join(root, 'examples/django/editor', name))
  const outdir = join(project, 'collaboration/static/collaboration/dist')
  const { status, stderr } = spawnSync('npx', ['esbuild', ...sources, '--bundle', '--format=esm', '--log-level=warning', `--outdir=${outdir}`], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

await t.test('Two people in two browsers', async (t) => {
  requireProgram(program, 'chromium')
  const site = await startSite(t, 'cookies')
  bundleEditor(site.django.folder)
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())

  async function signIn (name: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(site.origin)
    await page.fill('[name=username]', name)
    await page.fill('[name=password]', name)
    await page.click('main button')
    return page
  }

  const alice = await signIn('alice')
  const markdown = '# The plan\n\nSome **bold** words.\n'
  await alice.setInputFiles('[name=file]', { name: 'plan.md', mimeType: 'text/markdown', buffer: Buffer.from(markdown) })
  await alice.click('text=Import markdown')
  await alice.waitForSelector('#editor h1 >> text=The plan')
  await alice.fill('[name=username]', 'bob')
  await alice.click('[value=share]')

  const bob = await signIn('bob')
  const answered = alice.waitForSelector('#people >> text=alice, bob')
  await bob.goto(alice.url())
  await bob.waitForSelector('#editor[contenteditable=true] >> text=Some')
  await answered
  t.equal(await bob.locator('h1 >> text=The plan').count(), 1, 'the initial content is present once')
  await bob.click('#editor >> text=words')
  await bob.keyboard.press('End')
  await bob.keyboard.type(' And of bob.')
  await alice.waitForSelector('#editor >> text=And of bob.')

  const [download] = await Promise.all([alice.waitForEvent('download'), alice.click('[data-export=markdown]')])
  let exported = ''
  for await (const part of await download.createReadStream()) exported += String(part)
  t.equal(exported.trimEnd(), '# The plan\n\nSome **bold** words. And of bob.')

  await alice.click('[value=unshare]')
  await bob.waitForSelector('[data-state=refused]')
  t.match(await bob.textContent('#status'), 'refused: You may not read this document.')
  await alice.waitForSelector('[data-state=connected]')
})
