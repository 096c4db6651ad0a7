import t from 'tap'
import { withoutIds } from '../../convert/without-ids.ts'
import { blocksOf, complete, documentOf, replaced, stateOf } from './edited.ts'

await t.test('Inputs that have nothing in common, or all, end', async (t) => {
  const paragraphs = (count: number, text: (index: number) => string) => {
    return Array.from({ length: count }, (_, index) => ({ content: text(index) }))
  }
  const shuffled = paragraphs(3000, (index) => `Paragraph ${(index * 1709) % 3000}`)
  const nested = (depth: number, text: string): unknown => {
    return { content: text, children: depth === 0 ? [] : [nested(depth - 1, text), { content: 'x' }] }
  }
  for (const [name, before, after] of [
    ['empty', paragraphs(3000, () => ''), paragraphs(2990, () => '')],
    ['equal', paragraphs(3000, () => 'same'), paragraphs(3000, (index) => index % 7 === 0 ? `x${index}` : 'same')],
    ['different', paragraphs(3000, (index) => `a${index}`), paragraphs(2000, (index) => `b${index} c`)],
    ['shuffled', paragraphs(3000, (index) => `Paragraph ${index}`), shuffled],
    ['one long word', [{ content: 'x'.repeat(100_000) }], [{ content: 'y'.repeat(100_000) }]],
    ['one long text', [{ content: 'a b '.repeat(30_000) }], [{ content: 'b a c '.repeat(20_000) }]],
    ['nested', [nested(95, 'a')], [nested(95, 'b')]],
  ] as Array<[string, unknown[], unknown[]]>) {
    const state = documentOf(before)
    t.same(withoutIds(blocksOf(stateOf(state, replaced(state, after, 'json')))), withoutIds(complete(after)), name)
  }
})
