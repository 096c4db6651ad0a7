const extension = /\.(?:mp4|webm|ogg|mov|mkv|flv|avi|wmv|m4v)$/i

/** Whether `![name](address)` is a video, by the ending of its path, as in BlockNote. Relative addresses never are. */
export function isVideoUrl (url: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url) || !URL.canParse(url)) return false
  return extension.test(new URL(url).pathname)
}
