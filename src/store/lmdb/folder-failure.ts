/** Sentences about the folder, by the codes of fs. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user has no access to it',
  EPERM: 'the system does not allow a store there',
  EROFS: 'the file system is read-only',
  EEXIST: 'it is a file',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'a part of the path cannot be created, or is a broken link',
  ELOOP: 'its links form a circle',
  ENAMETOOLONG: 'the path is too long',
}

/** LMDB's errors have no such codes, only messages. */
const denied = /^Permission denied/

/** The reason why the embedded store could not be opened, as one sentence. */
export function folderFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { code } = error as { code?: string | number }
  return reasons[denied.test(error.message) ? 'EACCES' : String(code)] ?? error.message
}
