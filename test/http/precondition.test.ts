import t from 'tap'
import { ifMatchOf } from '../../src/http/precondition.ts'

await t.test('If-Match names sequences, whatever the format and the weakness of its tags', (t) => {
  t.equal(ifMatchOf({}), undefined)
  t.equal(ifMatchOf({ 'if-match': ' * ' }), undefined)
  for (const [header, sequences] of [
    ['"5-yjs"', [5]],
    [' "5-yjs" ,"7-markdown", "9"', [5, 7, 9]],
    ['W/"5-yjs", "x", ""', [5]],
    ['"5-yjs,6"', [5]],
  ] as const) t.same(ifMatchOf({ 'if-match': header }), sequences, header)
  t.end()
})

await t.test('An If-Match that is no list of entity tags is rejected', (t) => {
  for (const header of ['', ',', '5', '"5', '5-yjs"', '*, "5"', '"5" "6"', '"5"x']) {
    t.throws(() => ifMatchOf({ 'if-match': header }), /Invalid If-Match/, header)
  }
  t.end()
})
