import t from 'tap'
import { openDemo } from './open-demo.ts'

t.test('`make dev` opens a page on which two people edit one document', async (t) => {
  const { page, address, service, complaints } = await openDemo(t)
  t.match(service.output(), `see it work     ${address}`)

  await page.goto(`${address}/?room=a-test`)
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
