/** By the codes of fs; the subject is the folder. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to it',
  EPERM: 'the system allows no store there',
  EROFS: 'the file system is read-only',
  EEXIST: 'it is a file',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'a part of the path cannot be made, or is a link to nothing',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the path is too long',
}

/** LMDB's errors have no such codes. */
const denied = /^Permission denied/

/** Why the embedded store could not be opened, as one sentence. */
export function folderFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { code } = error as { code?: string | number }
  return reasons[denied.test(error.message) ? 'EACCES' : String(code)] ?? error.message
}
