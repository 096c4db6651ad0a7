import createMarkdownIt, { type Token } from 'markdown-it'

/**
 * A token of markdown-it, whose rules change its fields. Its own class defines them one by one, which took a fifth of
 * the time of large documents.
 */
class LightToken {
  declare type: string
  declare tag: string
  declare attrs: Token['attrs']
  declare map: Token['map']
  declare nesting: Token['nesting']
  declare level: number
  declare children: Token['children']
  declare content: string
  declare markup: string
  declare info: string
  declare meta: Token['meta']
  declare block: boolean
  declare hidden: boolean

  constructor (type: string, tag: string, nesting: Token['nesting'], level: number) {
    this.type = type
    this.tag = tag
    this.attrs = null
    this.map = null
    this.nesting = nesting
    this.level = level
    this.children = null
    this.content = ''
    this.markup = ''
    this.info = ''
    this.meta = null
    this.block = true
    this.hidden = false
  }
}
// It has the methods of markdown-it's class, and is an instance of it.
Object.setPrototypeOf(LightToken.prototype, createMarkdownIt.Token.prototype)

/** markdown-it's state while it reads blocks, with lighter tokens. */
export class LightStateBlock extends createMarkdownIt.StateBlock {
  /** Adds a token, as markdown-it's method. */
  override push (type: string, tag: string, nesting: Token['nesting']): Token {
    if (nesting < 0) this.level--
    // It has every field, and inherits the methods.
    const token = new LightToken(type, tag, nesting, this.level) as Token
    if (nesting > 0) this.level++
    this.tokens.push(token)
    return token
  }
}
