const special = /[&<>"\u00a0\r]/
const specials = /[&<>"\u00a0\r]/g
const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\u00a0': '&nbsp;',
  '\r': '&#13;',
}
const textSpecial = /[&<>\u00a0\r]/
const textSpecials = /[&<>\u00a0\r]/g

/** Escapes text between tags. A carriage return becomes a reference, since a parser reads a bare one as a line feed. */
export function escapeHtml (text: string): string {
  return textSpecial.test(text) ? text.replace(textSpecials, reference) : text
}

/** Escapes text in a double-quoted attribute. */
export function escapeAttribute (text: string): string {
  return special.test(text) ? text.replace(specials, reference) : text
}

/** Escapes text in an attribute on one line: in markdown an empty line would end the HTML. */
export function escapeAttributeLine (text: string): string {
  return escapeAttribute(text).replaceAll('\n', '&#10;')
}

function reference (character: string): string {
  return entities[character] ?? character
}
