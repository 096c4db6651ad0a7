const scheme = /^([a-z][a-z0-9+.-]*):/i
const linkSchemes = new Set(['http', 'https', 'mailto', 'tel', 'ftp', 'ftps', 'callto', 'sms', 'cid', 'xmpp'])

/** What a browser drops before it reads an address; `java\tscript:` is `javascript:` to it. */
// eslint-disable-next-line no-control-regex
const ignored = /[\u0000-\u0020\u00a0\u1680\u180e\u2000-\u2029\u205f\u3000]/g

/** An address without a scheme (relative, a fragment), or with one that cannot run code. The schemes are those that BlockNote's editor accepts. */
export function isSafeLink (url: string): boolean {
  const found = scheme.exec(url.replace(ignored, ''))
  return found === null || linkSchemes.has(found[1]?.toLowerCase() ?? '')
}

/** A link's rule, and pictures that stand in the address itself; an SVG there may hold scripts, but not as the source of a picture. */
export function isSafeMedia (url: string): boolean {
  return isSafeLink(url) || /^(data:(image|audio|video)\/|blob:)/i.test(url)
}

/** Only http and https, for what a browser would open as a document. */
export function isWebAddress (url: string): boolean {
  return /^https?:\/\/[^/]/i.test(url)
}
