/**
 * `*.example.org`: a star as the whole first label. At least two labels follow, or `*.org` would admit a whole
 * registry.
 */
const wildcardHost = /^\*(?:\.[^*.]+){2,}$|^\*\.localhost$/

/** The scheme and the first label of an origin, as browsers write them. */
const firstLabel = /^(https?:\/\/)[a-z0-9_-]+\./

/**
 * Writes an origin as browsers do: lower case, no default port, no slash at the end.
 * @returns the text unchanged if it contains more than an origin; `isAllowableOrigin` rejects that
 */
export function normaliseOrigin (text: string): string {
  if (!URL.canParse(text)) return text
  const { origin, pathname, search, hash, username, password } = new URL(text)
  return pathname === '/' && search + hash + username + password === '' ? origin : text
}

/**
 * Whether the text can be allowed: `*`, a normalised http or https origin, or one with a wildcard for its first label.
 */
export function isAllowableOrigin (text: string): boolean {
  if (text === '*') return true
  if (!URL.canParse(text)) return false
  const { protocol, hostname, origin } = new URL(text)
  return /^https?:$/.test(protocol) && origin === text && (!hostname.includes('*') || wildcardHost.test(hostname))
}

/**
 * Makes the check of an `Origin` header against normalised origins. `https://*.example.org` admits
 * `https://a.example.org`, but neither `https://example.org` nor `https://a.b.example.org`; scheme and port must be
 * equal.
 */
export function createOriginCheck (allowed: readonly string[]): (origin: string) => boolean {
  if (allowed.includes('*')) return () => true
  const known = new Set(allowed)
  return (origin) => !origin.includes('*') && (known.has(origin) || known.has(origin.replace(firstLabel, '$1*.')))
}
