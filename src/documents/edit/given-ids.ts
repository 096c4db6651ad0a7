/** The ids that block JSON names. @param input valid JSON, see `validateBlocks` */
export function givenIds (input: Uint8Array): Set<string> {
  const ids = new Set<string>()
  const visit = (blocks: unknown): void => {
    if (!Array.isArray(blocks)) return
    for (const block of blocks as unknown[]) {
      if (typeof block !== 'object' || block === null) continue
      if ('id' in block && typeof block.id === 'string' && block.id !== '') ids.add(block.id)
      if ('children' in block) visit(block.children)
    }
  }
  visit(JSON.parse(new TextDecoder().decode(input)) as unknown)
  return ids
}
