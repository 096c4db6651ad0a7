import fc from 'fast-check'

/** Stand for a word and an address, which `planted` numbers in the order of the source. */
const word = '\u{1}'
const address = '\u{2}'

const inlineTags = ['a', 'abbr', 'b', 'bdi', 'big', 'cite', 'code', 'del', 'em', 'font', 'i', 'ins', 'kbd', 'label', 'mark', 'q', 's', 'small', 'span', 'strong', 'sub', 'u', 'x-foo', 'o:p', 'string']
const blockTags = ['address', 'article', 'aside', 'blockquote', 'center', 'dd', 'details', 'div', 'dl', 'dt', 'fieldset', 'figcaption', 'figure', 'form', 'h1', 'h4', 'legend', 'li', 'main', 'ol',
  'p', 'pre', 'section', 'summary', 'ul']
const tableTags = ['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td']
const hidingTags = ['audio', 'canvas', 'dialog', 'iframe', 'math', 'noembed', 'noscript', 'object', 'script', 'select', 'style', 'svg', 'template', 'textarea', 'title', 'video', 'xmp']
const styles = ['font-weight:bold', 'font-weight:400', 'font:italic 12px x', 'display:block', 'display:inline', 'white-space:pre-wrap', 'text-decoration:underline', 'color:red', 'vertical-align:sub', 'display:none']
const voids = ['<br>', '<hr>', '<wbr>', '<input type="checkbox">', '<input value="x">', `<img src="${address}">`, `<embed src="${address}">`, `<a href="${address}"><img src="${address}"></a>`,
  `<picture><source srcset="${address} 2x"><img src="${address}"></picture>`, `<video src="${address}"></video>`, `<video poster="${address}"><source src="${address}"><source src="${address}"></video>`,
  `<object data="${address}"></object>`, `<iframe src="${address}"></iframe>`, `<area href="${address}">`, `<figure><a href="${address}"><img src="${address}"></a><figcaption>${word} ${word}</figcaption></figure>`]
const open = ['<!--', '<!-- x', '<![CDATA[', '<?', '<!x', '<a href="x', '<div class=', '</div', '<plaintext>', '<frameset>', '<frame>', '<head>', '</body>', '<your-name>']

const text = fc.constantFrom(word, word, ` ${word}`, `${word} ${word}`, `${word}\n`, `${word}&nbsp;`, ' ', '\n')
const style = fc.oneof({ weight: 3, arbitrary: fc.constant('') }, fc.constantFrom(...styles).map((value) => ` style="${value}"`))

const named = (tags: readonly string[]) => fc.constantFrom(...tags)

function tag (name: string, attributes: string, content: string, closed: boolean): string {
  const href = name === 'a' ? ` href="${address}"` : name === 'blockquote' ? ` cite="${address}"` : ''
  return `<${name}${href}${attributes}>${content}${closed ? `</${name}>` : ''}`
}

const mostly = fc.oneof({ weight: 7, arbitrary: fc.constant(true) }, fc.constant(false))

/**
 * HTML of every kind: raw text, unknown elements, tables, media, style, tags left open and closed in the wrong order.
 */
export function anyHtml (): fc.Arbitrary<string> {
  const { nodes } = fc.letrec<{ nodes: string }>((tie) => {
    const element = (tags: readonly string[]) => fc.tuple(named(tags), style, tie('nodes'), mostly).map(([name, attributes, content, closed]) => tag(name, attributes, content, closed))
    const table = fc.array(fc.array(tie('nodes'), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
      .map((rows) => `<table>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`)
    return {
      nodes: fc.array(fc.oneof({ maxDepth: 4, depthIdentifier: 'html' },
        { weight: 5, arbitrary: text },
        { weight: 3, arbitrary: fc.constantFrom(...voids) },
        { weight: 4, arbitrary: element(inlineTags) },
        { weight: 5, arbitrary: element(blockTags) },
        { weight: 1, arbitrary: element(tableTags) },
        { weight: 1, arbitrary: element(hidingTags) },
        { weight: 1, arbitrary: table },
        { weight: 1, arbitrary: named([...blockTags, ...inlineTags, 'wrong']).map((name) => `</${name}>`) }
      ), { maxLength: 5 }).map((parts) => parts.join('')),
    }
  })
  return nodes.map(planted)
}

/** Markdown with pieces of HTML that are left open; every word in it is to be seen. */
export function anyMarkdown (): fc.Arbitrary<string> {
  const opening = fc.oneof(fc.constantFrom(...open), named([...hidingTags, ...inlineTags, ...blockTags]).map((name) => tag(name, '', '', false)))
  const line = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(word, `**${word}**`, `\`${word}\``, `[${word}](${address})`, `[![${word}](${address})](${address})`, `<u>${word}</u>`) }, opening), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(' '))
  const block = fc.oneof(
    { weight: 3, arbitrary: line },
    line.map((content) => `# ${content}`),
    line.map((content) => `- ${content}\n- ${word}`),
    line.map((content) => `> ${content}`),
    line.map((content) => `| ${content} | ${word} |\n| - | - |\n| ${word} | ${content} |`),
    line.map((content) => `<div>\n${content}\n</div>`),
    fc.constant(`<details>\n<summary>${word}</wrong>\n\n${word}\n\n</details>`)
  )
  return fc.array(block, { minLength: 1, maxLength: 5 }).map((blocks) => planted(`${blocks.join('\n\n')}\n\n${word}\n`))
}

function planted (source: string): string {
  let words = 0
  let addresses = 0
  return source.replace(/[\u0001\u0002]/g, (kind) => kind === word ? `w${++words}w` : `https://x.example/a${++addresses}a`) // eslint-disable-line no-control-regex
}
