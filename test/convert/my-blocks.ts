import type { BlockExtensions } from '../../src/convert/blocks/block-table.ts'

/** A blocks module as a project would write one: a diagram, a mention and a highlight. */
const blocks: BlockExtensions = {
  blocks: [{
    type: 'diagram',
    content: 'none',
    props: { source: { default: '' }, width: { type: 'number' } },
    toHtml: ({ props, attributes, escape }) => `<pre class="mermaid"${attributes}>${escape(String(props['source']))}</pre>`,
    fromHtml: { tags: ['pre'], read: (element) => element.attributes['class'] === 'mermaid' ? { props: {} } : undefined },
    toMarkdown: ({ props }) => '```mermaid\n' + String(props['source']) + '\n```',
    fromFence: { language: 'mermaid', prop: 'source' },
    toText: (props) => String(props['source']),
  }],
  inline: [{
    type: 'mention',
    content: 'none',
    props: { user: { default: '' } },
    toHtml: ({ props, attributes, escape }) => `<span class="mention"${attributes}>@${escape(String(props['user']))}</span>`,
    fromHtml: { tags: ['span'], read: (element) => element.attributes['class'] === 'mention' ? { props: {} } : undefined },
    toMarkdown: ({ props, escape }) => escape('@' + String(props['user'])),
    toText: (props) => '@' + String(props['user']),
  }],
  marks: [{
    type: 'highlight',
    value: 'boolean',
    toHtml: (_, inner) => `<mark class="highlight">${inner}</mark>`,
    fromHtml: { tags: ['mark'], read: (element) => element.attributes['class'] === 'highlight' ? true : undefined },
  }],
}

export default blocks
