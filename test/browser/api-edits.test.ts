import { isDeepStrictEqual } from 'node:util'
import type { Page } from 'playwright-core'
import t from 'tap'
import { eventually } from '../clients/eventually.ts'
import { openDemo } from './open-demo.ts'

const room = 'a-plan'

const original = `# The voyage

We leave on Monday.

Bring a coat.

Grace keeps the boat steady.

Nobody swims.

We return on Friday.
`

/** The same with other blocks above and below the paragraph in which Ada types. */
const revised = [
  ['# The voyage', '# The long voyage'],
  ['We leave on Monday.\n\nBring a coat.', 'We leave on Tuesday.\n\n- a coat\n\n- a lamp'],
  ['Nobody swims.', '## Rules\n\nNobody swims alone.'],
  ['We return on Friday.', 'We return in spring.'],
] as const

/** A block of the document, as an editor shows it or as the service stores it. */
interface Block { id: string, type: string, text: string }

/** Expressions for the page, whose types this project does not load. */
const inPage = {
  /** Puts the cursor of Ada's editor between `bo` and `at`. */
  placeCursor: `(() => {
    const editor = document.querySelector('section [contenteditable=true]')
    const texts = document.createTreeWalker(editor, NodeFilter.SHOW_TEXT)
    while (!texts.nextNode().data.includes('boat')) {}
    editor.focus()
    getSelection().collapse(texts.currentNode, texts.currentNode.data.indexOf('boat') + 2)
  })()`,
  /** The text of the block with the cursor, before and after the cursor. */
  textAroundCursor: `(() => {
    const { focusNode, focusOffset } = getSelection()
    const range = document.createRange()
    range.selectNodeContents(focusNode.parentElement.closest('.bn-block-content'))
    const after = range.cloneRange()
    range.setEnd(focusNode, focusOffset)
    after.setStart(focusNode, focusOffset)
    return [range.toString(), after.toString()]
  })()`,
  /** The blocks in each of the two editors, without the cursors of others. */
  blocks: `Array.from(document.querySelectorAll('section'), (section) =>
    Array.from(section.querySelectorAll('.bn-block-content'), (block) => {
      const copy = block.cloneNode(true)
      for (const cursor of copy.querySelectorAll('.bn-collaboration-cursor__base')) cursor.remove()
      const { id } = block.closest('[data-id]').dataset
      return { id, type: block.dataset.contentType, text: copy.textContent }
    }))`,
  /** Collects in \`closeCodes\` with which codes the page's sockets are closed. */
  watchSockets: `globalThis.closeCodes = []
    globalThis.WebSocket = class extends WebSocket {
      constructor (...options) {
        super(...options)
        this.addEventListener('close', ({ code }) => { closeCodes.push(code) })
      }
    }`,
}

/** The routes for Django, for the one document. */
class Django {
  readonly #address: string

  constructor (serviceUrl: string) {
    this.#address = `${serviceUrl}/collaboration/api/documents/${room}/`
  }

  async #send (method: string, query: string, headers: Record<string, string>, body?: string): Promise<Response> {
    const request = { method, headers: { authorization: 'my-secret', ...headers } }
    return await fetch(this.#address + query, body === undefined ? request : { ...request, body })
  }

  /** @throws unless it succeeds */
  async write (method: 'POST' | 'PATCH' | 'DELETE', markdown?: string, query = ''): Promise<void> {
    const type: Record<string, string> = markdown === undefined ? {} : { 'content-type': 'text/markdown' }
    const answer = await this.#send(method, query, type, markdown)
    if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`)
  }

  /** Reads, changes and replaces the markdown, again and again until nobody has typed in between. */
  async revise (change: (markdown: string) => string): Promise<void> {
    for (;;) {
      const read = await this.#send('GET', '', { accept: 'text/markdown' })
      const condition = { 'if-match': read.headers.get('etag') ?? '' }
      const body = change(await read.text())
      const answer = await this.#send('PUT', '', { 'content-type': 'text/markdown', ...condition }, body)
      if (answer.status === 204) return
      if (answer.status !== 412) throw new Error(`PUT: ${answer.status} ${await answer.text()}`)
    }
  }

  async blocks (): Promise<Block[]> {
    const answer = await this.#send('GET', '', { accept: 'application/json' })
    // The content of every block of this test is a list of texts.
    const blocks = await answer.json() as Array<Block & { content: Array<{ text: string }> }>
    return blocks.map(({ id, type, content }) => ({ id, type, text: content.map(({ text }) => text).join('') }))
  }
}

const shownBlocks = async (page: Page) => await page.evaluate<Block[][]>(inPage.blocks)
const summaries = (blocks: Block[]) => blocks.map(({ type, text }) => `${type}: ${text}`)

/** Waits until both editors show exactly what is stored. @returns what that is */
async function settled (page: Page, django: Django): Promise<Block[]> {
  let stored: Block[] = []
  await eventually(async () => {
    stored = await django.blocks()
    return isDeepStrictEqual(await shownBlocks(page), [stored, stored])
  })
  return stored
}

/** Waits until both editors show a block with this text. */
async function shown (page: Page, text: string): Promise<void> {
  const hasText = `({ text }) => text === ${JSON.stringify(text)}`
  await page.waitForFunction(`${inPage.blocks}.every((blocks) => blocks.some(${hasText}))`)
}

async function open (page: Page, address: string): Promise<void> {
  await page.goto(`${address}/?room=${room}`)
  await page.waitForSelector('section:nth-child(2) [data-state=connected]')
}

await t.test('The cursor stays where it is while Django edits around it', async (t) => {
  const { page, address, serviceUrl, complaints } = await openDemo(t)
  const django = new Django(serviceUrl)
  await django.write('POST', original)
  await open(page, address)
  await shown(page, 'We return on Friday.')
  await page.evaluate(inPage.placeCursor)
  // Grace sees the cursor: so the editor knows of it too.
  const paragraph = page.locator('section:nth-child(2) p', { hasText: 'Grace keeps' })
  await paragraph.locator('.bn-collaboration-cursor__base').waitFor({ state: 'attached' })

  let typed = ''
  async function type (text: string): Promise<void> {
    await page.keyboard.type(text)
    typed += text
  }
  /** Types digits until the work is done. */
  async function typeDuring (work: Promise<unknown>): Promise<void> {
    const typing = { goesOn: true }
    const typeOn = async () => { while (typing.goesOn) await type(String(typed.length % 10)) }
    await Promise.all([work.finally(() => { typing.goesOn = false }), typeOn()])
  }
  const expectCursor = async (when: string) => {
    const around = await page.evaluate<[string, string]>(inPage.textAroundCursor)
    t.same(around, [`Grace keeps the bo${typed}`, 'at steady.'], when)
  }

  // A revision begins anew whenever what she typed has been stored meanwhile, so she pauses for it after a few words.
  await Promise.all([type(' as she goes '), django.revise((markdown) => {
    return revised.reduce((text, [before, after]) => text.replace(before, after), markdown)
  })])
  await shown(page, 'We return in spring.')
  await expectCursor('after everything else was replaced')

  const target = (await django.blocks()).find(({ text }) => text.startsWith('Grace'))?.id ?? ''
  for (let round = 0; round < 10; round++) {
    const writes = [
      django.write('PATCH', `Inserted ${round}`, `?before=${target}`),
      django.write('PATCH', `Appended ${round}`),
    ]
    await typeDuring(Promise.all([...writes, shown(page, `Inserted ${round}`), shown(page, `Appended ${round}`)]))
    await expectCursor(`after round ${round}`)
  }

  const rounds = Array.from({ length: 10 }, (_, round) => round)
  t.same(summaries(await settled(page, django)), [
    'heading: The long voyage',
    'paragraph: We leave on Tuesday.',
    'bulletListItem: a coat',
    'bulletListItem: a lamp',
    ...rounds.map((round) => `paragraph: Inserted ${round}`),
    `paragraph: Grace keeps the bo${typed}at steady.`,
    'heading: Rules',
    'paragraph: Nobody swims alone.',
    'paragraph: We return in spring.',
    ...rounds.map((round) => `paragraph: Appended ${round}`),
  ])
  t.same(complaints, [])
})

await t.test('A deleted document leaves its pages, and a new one of that name is alone', async (t) => {
  const { page, address, serviceUrl, complaints } = await openDemo(t)
  const django = new Django(serviceUrl)
  await page.addInitScript({ content: inPage.watchSockets })
  await django.write('POST', original)
  await open(page, address)
  await shown(page, 'We return on Friday.')

  await django.write('DELETE')
  const states = page.locator('section [data-state=refused]')
  await states.nth(1).waitFor()
  t.same(await states.allTextContents(), ['refused: Document deleted', 'refused: Document deleted'])
  t.same(await page.evaluate('closeCodes'), [4404, 4404])

  await django.write('POST', 'Another voyage.\n')
  await page.evaluate(inPage.placeCursor)
  await page.keyboard.type(' deleted ')
  await page.locator('section').nth(0).getByText('bo deleted at').waitFor()
  await page.locator('section').nth(0).getByRole('button').click()
  await page.waitForFunction('closeCodes.length === 3')
  t.same(await page.evaluate('closeCodes'), [4404, 4404, 4404], 'what the page still has is refused')

  await page.reload()
  await shown(page, 'Another voyage.')
  t.same(summaries(await settled(page, django)), ['paragraph: Another voyage.'])
  t.same(complaints, [])
})
