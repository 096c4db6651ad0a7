import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { convert } from '../../src/convert/convert.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { InvalidContent } from '../../src/convert/conversion-failure.ts'
import { readDocument } from '../../src/convert/yjs/read-document.ts'
import { readSimpleUpdate } from '../../src/convert/yjs/read-simple-update.ts'
import { blocksToUpdate } from '../../src/convert/yjs/blocks-to-update.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { validateBlocks } from '../../src/convert/blocks/validate-blocks.ts'
import { anyBlocks, anyText } from './arbitrary-blocks.ts'
import { deepEqual } from 'node:assert/strict'
import { tries } from '../update/tries.ts'

const outputs: OutputFormat[] = ['yjs', 'json', 'html', 'markdown', 'text']

/** Converts to every format. Only InvalidContent is thrown, and a Yjs update is complete. */
function survives (input: Uint8Array, from: InputFormat): void {
  for (const to of outputs) {
    try {
      const { body } = convert({ input, from, to }, table)
      if (to === 'yjs') Y.applyUpdate(new Y.Doc(), body)
      if (to === 'json') JSON.parse(new TextDecoder().decode(body))
    } catch (error) {
      if (!(error instanceof InvalidContent)) throw error
    }
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const update = anyBlocks().map((input) => blocksToUpdate(validateBlocks(input, table, new Dropped()), table))

await t.test('Any bytes convert or are rejected', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom<InputFormat>('yjs', 'json', 'html', 'markdown'), survives), { numRuns: tries(250) })
})

await t.test('Damaged updates convert or are rejected', async () => {
  const damage = fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom('set', 'cut', 'double'), value: fc.nat(255) }), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(update, damage, (whole, changes) => {
    let bytes = [...whole]
    for (const { at, kind, value } of changes) {
      const index = at % Math.max(1, bytes.length)
      if (kind === 'set') bytes[index] = value
      else if (kind === 'cut') bytes = bytes.slice(0, index)
      else bytes = [...bytes.slice(0, index), ...bytes.slice(index, index + 20), ...bytes.slice(index)]
    }
    survives(new Uint8Array(bytes), 'yjs')
  }), { numRuns: tries(150) })
})

await t.test('The direct reader of updates agrees with Yjs', async () => {
  fc.assert(fc.property(update, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }), (whole, changes) => {
    for (const [at, value] of changes) whole[at % whole.length] = value
    const direct = readSimpleUpdate(whole, 'document-store')
    if (direct !== undefined) deepEqual(plain(direct), plain(readDocument(whole, 'document-store', new Dropped())))
  }), { numRuns: tries(250) })
})

await t.test('Any text converts as markdown and as HTML', async () => {
  fc.assert(fc.property(fc.array(anyText, { maxLength: 8 }).map((parts) => parts.join('\n')), (text) => {
    survives(bytes(text), 'markdown')
    survives(bytes(text), 'html')
  }), { numRuns: tries(150) })
})

await t.test('Tags in any order convert', async () => {
  const tag = fc.tuple(fc.constantFrom('', '/'), fc.constantFrom('p', 'ul', 'ol', 'li', 'table', 'tr', 'td', 'th', 'details', 'summary', 'blockquote', 'pre', 'code', 'b', 'a href=x', 'img src=x', 'figure', 'figcaption', 'h1', 'br', 'input type=checkbox', 'aside', 'div data-node-type=blockGroup', 'p data-nesting-level=3', 'span style="color:red"', 'embed type=application/pdf', 'svg', 'template', 'select')).map(([slash, name]) => `<${slash}${name}>`)
  fc.assert(fc.property(fc.array(fc.oneof(tag, tag, anyText), { maxLength: 30 }).map((parts) => parts.join('')), (html) => {
    survives(bytes(html), 'html')
    survives(bytes(html), 'markdown')
  }), { numRuns: tries(250) })
})

await t.test('Any JSON converts or is rejected', async () => {
  const block = fc.record({ type: fc.oneof(fc.constantFrom('paragraph', 'table', 'image', 'callout', '__proto__'), fc.string()), props: fc.dictionary(fc.string(), fc.jsonValue()), content: fc.jsonValue(), children: fc.jsonValue() }, { requiredKeys: [] })
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.array(block)), (value) => survives(bytes(JSON.stringify(value)), 'json')), { numRuns: tries(250) })
})

/** Runs of equal formats are one, however they were stored. */
function plain (nodes: unknown): unknown {
  return JSON.parse(JSON.stringify(nodes, (_, value: unknown) => value === undefined ? 'undefined' : value))
}
