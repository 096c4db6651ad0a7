/**
 * The most levels of blocks within blocks. No editor shows that many; more would overflow a recursive reader's stack.
 */
export const maxBlockDepth = 100

/** The most levels of HTML elements, as in browsers: a parser looks through all open elements at each tag. */
export const maxElementDepth = 512

/**
 * The most levels of markdown: a quote takes one, a list two. Deeper markers are text. It is below the limit of blocks,
 * so that markdown is never rejected.
 */
export const maxMarkdownLevel = 90

/** The most columns or rows of one cell, as in HTML. */
export const maxSpan = 1000
