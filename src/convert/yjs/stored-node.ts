/** An XmlElement as it is stored, read from a Y.Doc or straight from an update. */
export interface StoredElement {
  name: string
  /** Without a prototype: names come from the document. */
  attributes: Record<string, unknown>
  children: StoredNode[]
}

/** An XmlText as it is stored: runs of characters with their formats. */
export interface StoredText {
  runs: Array<{ text: string, formats: Formats }>
  /** Objects in the text that are neither characters nor formats. */
  embeds: number
}

/** A child of a fragment or element. */
export type StoredNode = StoredElement | StoredText

/** Formats by key. Several runs share them, so they are never changed in place. */
export type Formats = Readonly<Record<string, unknown>>

/** No formats. */
export const noFormats: Formats = Object.freeze(Object.create(null))

/** The formats after one change. @param value null switches the format off */
export function withFormat (formats: Formats, key: string, value: unknown): Formats {
  // Object.create gives any; the copy is a plain map of what it is given.
  const next = Object.assign(Object.create(null), formats) as Record<string, unknown>
  if (value === null) delete next[key]
  else next[key] = value
  return next
}

/** Whether a node is text. */
export function isStoredText (node: StoredNode): node is StoredText {
  return 'runs' in node
}
