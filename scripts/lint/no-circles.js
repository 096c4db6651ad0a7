import { join } from 'node:path'
import { readImports, targetOf, visitImports } from './source-files.js'

/** Rejects an import, of types too, that leads back to its own file. */
export const noCircles = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { circle: 'This import closes a circle: {{path}}.' },
  },
  create (context) {
    const src = join(context.cwd, 'src')
    return visitImports((node, path) => {
      const circle = pathBetween(src, targetOf(context.filename, path), context.filename)
      if (circle === undefined) return
      const names = circle.map((file) => file.slice(src.length + 1)).join(' → ')
      context.report({ node, messageId: 'circle', data: { path: names } })
    })
  },
}

/** By folder, so that one run of the linter reads the files once. */
const graphs = new Map()

/**
 * @returns the files on the shortest import path from one file to another, both included; undefined if there is none
 */
function pathBetween (src, from, to) {
  if (!graphs.has(src)) graphs.set(src, readImports(src))
  const before = new Map([[from, undefined]])
  for (const file of before.keys()) {
    if (file === to) return wayTo(file, before)
    for (const next of graphs.get(src).get(file) ?? []) if (!before.has(next)) before.set(next, file)
  }
  return undefined
}

function wayTo (end, before) {
  const way = []
  for (let file = end; file !== undefined; file = before.get(file)) way.unshift(file)
  return [end, ...way]
}
