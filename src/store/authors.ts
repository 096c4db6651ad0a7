/** People remembered for a document: those who wrote last. */
export const maxAuthors = 256

const maxCharacters = 255

const nobody: readonly string[] = []

/**
 * Those of these user ids that a store keeps with an update: those that every store can hold (1 to 255 characters of
 * UTF-16, well-formed and without NUL), at most `maxAuthors`.
 */
export function keptAuthors (userIds: readonly string[] | undefined): readonly string[] {
  if (userIds === undefined || userIds.length === 0) return nobody
  const kept = userIds.every(canBeKept) ? userIds : userIds.filter(canBeKept)
  return kept.length > maxAuthors ? kept.slice(0, maxAuthors) : kept
}

const canBeKept = (userId: string): boolean => {
  return userId !== '' && userId.length <= maxCharacters && !/[\0\ud800-\udfff]/u.test(userId)
}
