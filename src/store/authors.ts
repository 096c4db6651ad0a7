/** People remembered for a document: those who wrote last. */
export const maxAuthors = 256

const maxCharacters = 255

const nobody: readonly string[] = []

/** Those of these user ids that every store can keep: of 1 to 255 characters (UTF-16), well-formed and without NUL. */
export function keptAuthors (userIds: readonly string[] | undefined): readonly string[] {
  if (userIds === undefined || userIds.length === 0) return nobody
  return userIds.every(canBeKept) ? userIds : userIds.filter(canBeKept)
}

const canBeKept = (userId: string): boolean => {
  return userId !== '' && userId.length <= maxCharacters && !/[\0\ud800-\udfff]/u.test(userId)
}
