import * as Y from 'yjs'
import { type Formats, noFormats, withFormat } from '../../convert/yjs/stored-node.ts'
import type { SharedType } from './type-cloner.ts'

/** A value of a document as text: equal for equal content, whoever wrote it. */
export function describeValue (value: unknown): string {
  if (value instanceof Y.AbstractType) return `${kindOf(value)} ${describeContent(value)}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (value instanceof Y.Doc) return `document ${value.guid}`
  return typeof value === 'bigint' ? `bigint ${value}` : `${typeof value} ${JSON.stringify(value)}`
}

/** The kind of a shared type, with the name of an element. */
export function kindOf (type: Y.AbstractType<unknown>): string {
  return type instanceof Y.XmlElement ? `element ${type.nodeName}` : type.constructor.name
}

/** The content of a shared type without its kind. Formats are described by their effect. */
export function describeContent (type: SharedType): string {
  const line = new LineDescription()
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const { content } = item
    if (content instanceof Y.ContentString) line.text(content.str)
    else if (content instanceof Y.ContentFormat) line.format(content.key, content.value)
    else for (const value of content.getContent()) line.value(describeValue(value))
  }
  const keys = [...type._map].filter(([, item]) => !item.deleted).map(([key]) => key).sort()
  const entries = keys.map((key) => `${JSON.stringify(key)}: ${describeValue(entryOf(type, key))}`)
  return `(${[...line.finish(), ...entries].join(', ')})`
}

/** Describes characters and values with their formats, however they are divided. */
export class LineDescription {
  readonly #parts: string[] = []
  #formats: Formats = noFormats
  #marks = ''
  #text = ''
  /** The marks of `#text`. */
  #textMarks = ''

  /** Changes one format. */
  format (key: string, value: unknown): void {
    this.setFormats(withFormat(this.#formats, key, value))
  }

  /** Sets all formats. */
  setFormats (formats: Formats): void {
    if (formats === this.#formats) return
    this.#formats = formats
    this.#marks = Object.keys(formats).sort().map((key) => `${key}=${JSON.stringify(formats[key])} `).join('')
  }

  /** Adds characters. */
  text (text: string): void {
    if (this.#marks !== this.#textMarks) this.#endText()
    this.#textMarks = this.#marks
    this.#text += text
  }

  /** Adds a value. */
  value (description: string): void {
    this.#endText()
    this.#parts.push(this.#marks + description)
  }

  finish (): string[] {
    this.#endText()
    return this.#parts
  }

  #endText (): void {
    if (this.#text !== '') this.#parts.push(this.#textMarks + JSON.stringify(this.#text))
    this.#text = ''
  }
}

/** The value under a key; undefined if there is none. */
export function entryOf (type: SharedType, key: string): unknown {
  const item = type._map.get(key)
  return item === undefined || item.deleted ? undefined : item.content.getContent()[item.length - 1]
}
