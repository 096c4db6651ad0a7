const extension = /\.(?:mp4|webm|ogg|mov|mkv|flv|avi|wmv|m4v)$/i

/** Whether an address in `![name](address)` means a video, by the ending of its path, as BlockNote decides it. Relative addresses never do. */
export function isVideoUrl (url: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url) || !URL.canParse(url)) return false
  return extension.test(new URL(url).pathname)
}
