/** Headers (names in lower case) or query parameters as Node and Fastify return them: repeated ones are arrays. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

/** A header's value. A repeated one is joined as HTTP does, so that it equals none of its parts. */
export function headerOf (headers: Fields, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}
