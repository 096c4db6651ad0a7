/**
 * The address of a module beside another one, with the extension that the program runs with: `.ts` from source, `.js`
 * when built.
 * @param base the other module's `import.meta.url`
 */
export function siblingModule (base: string, name: string): URL {
  return new URL(`./${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base)
}
