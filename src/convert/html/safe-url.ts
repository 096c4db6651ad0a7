const scheme = /^([a-z][a-z0-9+.-]*):/i
const linkSchemes = new Set(['http', 'https', 'mailto', 'tel', 'ftp', 'ftps', 'callto', 'sms', 'cid', 'xmpp'])

/** Characters that a browser drops from an address: it reads `java\tscript:` as `javascript:`. */
// eslint-disable-next-line no-control-regex
const ignored = /[\u0000-\u0020\u00a0\u1680\u180e\u2000-\u2029\u205f\u3000]/g

/** Whether an address has no scheme (relative, a fragment), or a harmless one that BlockNote's editor accepts. */
export function isSafeLink (url: string): boolean {
  const found = scheme.exec(url.replace(ignored, ''))
  return found === null || linkSchemes.has(found[1]?.toLowerCase() ?? '')
}

/** As `isSafeLink`, and also `data:` and `blob:` media: an SVG can hold scripts, but does not run them in an image. */
export function isSafeMedia (url: string): boolean {
  return isSafeLink(url) || /^(data:(image|audio|video)\/|blob:)/i.test(url)
}

/** Whether it is an http or https address, as a browser opens documents. */
export function isWebAddress (url: string): boolean {
  return /^https?:\/\/[^/]/i.test(url)
}
