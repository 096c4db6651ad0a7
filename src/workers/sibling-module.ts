/** The address of a module beside the given one, with the extension that the program runs with: `.ts` from source, `.js` when built. */
export function siblingModule (base: string, name: string): URL {
  return new URL(`./${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base)
}
