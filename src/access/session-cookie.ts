/**
 * Finds the browser's session key in a `Cookie` header: the value of the first of `names` that is present and not
 * empty. Reads the header as Django does, because Django wrote the value: pairs are split at `;`, surrounding spaces
 * and quotes are dropped, nothing is percent-decoded, and the last of two equal names counts.
 * @see https://github.com/django/django/blob/main/django/http/cookie.py
 */
export function readSessionCookie (cookieHeader: string | undefined, names: readonly string[]): string | undefined {
  if (cookieHeader === undefined) return undefined
  const found = new Map<string, string>()
  for (const pair of cookieHeader.split(';')) {
    const at = pair.indexOf('=')
    if (at === -1) continue
    const name = pair.slice(0, at).trim()
    if (names.includes(name)) found.set(name, unquote(pair.slice(at + 1).trim()))
  }
  const present = names.find((name) => found.get(name))
  return present === undefined ? undefined : found.get(present)
}

function unquote (value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}
