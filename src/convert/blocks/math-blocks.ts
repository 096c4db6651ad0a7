import type { BlockSpec, BlockTable, Found, InlineSpec } from './block-table.ts'
import { MathScanner } from '../markdown/dollar-math.ts'
import { type Element, element, type Node, textOf } from '../html/element.ts'
import { fencedCode, programOf } from './text-blocks.ts'

/** The media type of LaTeX in MathML. */
const latex = 'application/x-tex'

const mathBlock: BlockSpec = {
  type: 'mathBlock',
  content: 'inline',
  props: {},
  code: true,
  toHtml: ({ attributes, inline }) => `<math display="block"${attributes}>${annotated(inline)}</math>`,
  fromHtml: { tags: ['math'], read: (math) => isDisplay(math) ? sourceOf(math) : undefined },
  fromFence: { language: 'math' },
  toMarkdown: ({ text }) => isDisplayMath(text) ? `$$\n${text}\n$$` : fencedCode('math', text),
}

const diagram: BlockSpec = {
  type: 'diagram',
  content: 'inline',
  props: {},
  code: true,
  toHtml: ({ attributes, inline }) => `<pre${attributes}><code class="language-mermaid" data-language="mermaid">${inline}</code></pre>`,
  fromHtml: {
    tags: ['pre'],
    read (pre) {
      const { language, code } = programOf(pre)
      return language === 'mermaid' && code !== undefined ? { props: {}, content: code } : undefined
    },
  },
  fromFence: { language: 'mermaid' },
  toMarkdown: ({ text }) => fencedCode('mermaid', text),
}

/** BlockNote's blocks whose text is a source: LaTeX and Mermaid. */
export const sourceBlocks: readonly BlockSpec[] = [mathBlock, diagram]

/** BlockNote's math in a line of text. */
export const inlineMath: InlineSpec = {
  type: 'math',
  content: 'plain',
  props: {},
  toHtml: ({ attributes, inline }) => `<math${attributes}>${annotated(inline)}</math>`,
  fromHtml: { tags: ['math'], read: sourceOf },
  // The text between tags in markdown is markdown.
  toMarkdown ({ text, inline }) {
    const markdown = `$${text}$`
    const read = new MathScanner(markdown).at(0)
    return read?.end === markdown.length && read.source === text ? markdown : `<math>${annotated(inline)}</math>`
  },
}

/**
 * The table for reading markdown and HTML for editors that have neither math nor diagrams and would delete them: their
 * sources become text and code. Blocks of a project's own module are still read.
 */
export function withoutMath (table: BlockTable): BlockTable {
  const mathSpecs: ReadonlySet<BlockSpec | InlineSpec> = new Set([inlineMath, ...sourceBlocks])
  const isOther = (spec: BlockSpec | InlineSpec) => !mathSpecs.has(spec)
  return {
    ...table,
    blocksByTag: filterSpecs(table.blocksByTag, isOther),
    inlineByTag: filterSpecs(table.inlineByTag, isOther),
    fences: new Map([...table.fences].filter(([, spec]) => isOther(spec))),
  }
}

function filterSpecs<T> (byTag: ReadonlyMap<string, readonly T[]>, isWanted: (spec: T) => boolean): Map<string, T[]> {
  const filtered = [...byTag].map(([tag, specs]): [string, T[]] => [tag, specs.filter(isWanted)])
  return new Map(filtered.filter(([, specs]) => specs.length > 0))
}

/** Whether the table reads math as math, and not as text. */
export function readsMath ({ blocksByTag, inlineByTag }: BlockTable): boolean {
  return blocksByTag.has('math') || inlineByTag.has('math')
}

/** MathML as text: its LaTeX source between dollars, or the letters of the formula if it has none. */
export function mathText (math: Element): string {
  const annotation = findAnnotation(math)
  if (annotation === undefined) return textOf(math).replace(/\s+/g, ' ').trim()
  const dollars = isDisplay(math) ? '$$' : '$'
  return dollars + textOf(annotation) + dollars
}

/** Whether this formula has a line of its own. */
export function isDisplay (math: Element): boolean {
  return math.attributes['display'] === 'block'
}

/** Math from markdown as an HTML element. */
export function mathElement (source: string, display: 'block' | 'inline'): Element {
  const annotation = element('annotation', { encoding: latex }, source === '' ? [] : [source])
  return element('math', display === 'block' ? { display } : {}, [element('semantics', undefined, [annotation])])
}

/** The source as MathML: browsers show the text, BlockNote and others read the annotation. */
function annotated (html: string): string {
  return `<semantics><mtext>${html}</mtext><annotation encoding="${latex}">${html}</annotation></semantics>`
}

/** Reads MathML that holds its LaTeX source. The reader shows other MathML as text. */
function sourceOf (math: Element): Found | undefined {
  const annotation = findAnnotation(math)
  return annotation && { props: {}, content: annotation }
}

function findAnnotation (node: Node): Element | undefined {
  if (typeof node === 'string') return undefined
  if (node.tag === 'annotation' && node.attributes['encoding'] === latex) return node
  for (const child of node.children) {
    const found = findAnnotation(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether the source can be written between lines of `$$`: a blank line would end it. */
function isDisplayMath (source: string): boolean {
  return !source.includes('$$') && source.split('\n').every((line) => line.trim() !== '' && !line.includes('\r'))
}
