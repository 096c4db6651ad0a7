/** Levels of blocks within blocks. No editor shows that many; beyond, a recursive reader would run out of stack. */
export const maxBlockDepth = 100

/** Elements within elements of HTML, the limit that browsers have too: a parser looks through all open ones at each tag. */
export const maxElementDepth = 512

/** Levels of markdown's syntax: a quote takes one, a list two. Deeper markers are text. Below the limit for blocks, so that markdown is never refused. */
export const maxMarkdownLevel = 90

/** The most columns or rows that one cell may take, as in HTML. */
export const maxSpan = 1000
