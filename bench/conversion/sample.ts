import * as Y from 'yjs'

/** The root in which BlockNote keeps a document. */
export const fragment = 'document-store'

const section = `## A section of a *realistic* document

Some **bold** and _italic_ text with \`code\`, a [link](https://example.org/path?a=1) and plain words that go on for a line or so.
The second line of the paragraph follows.

- first item
- second item with **bold**
  - nested item
- [x] done

1. one
2. two

> A quote of one line.

\`\`\`js
const answer = 42
\`\`\`

| name | value |
| ---- | ----- |
| one  | 1     |
| two  | 2     |

![a picture](https://example.org/picture.png)

`

/** Markdown of about this many bytes, with every usual kind of content. */
export function sampleMarkdown (bytes: number): string {
  return section.repeat(Math.max(1, Math.round(bytes / section.length)))
}

/** A document that people have edited: several clients, insertions and deletions everywhere. */
export function edited (update: Uint8Array): Uint8Array {
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  const texts: Y.XmlText[] = []
  const collect = (type: Y.XmlFragment) => {
    for (const child of type.toArray()) {
      if (child instanceof Y.XmlText) texts.push(child)
      else if (child instanceof Y.XmlElement) collect(child)
    }
  }
  collect(document.getXmlFragment(fragment))
  texts.forEach((text, index) => {
    if (index % 16 === 0) document.clientID = 1000 + index
    text.insert(0, 'new ')
    text.insert(2, 'x')
    text.delete(2, 1)
  })
  return Y.encodeStateAsUpdate(document)
}
