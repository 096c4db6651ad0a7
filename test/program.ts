import { fileURLToPath } from 'node:url'
import { siblingModule } from '../src/workers/sibling-module.ts'

/**
 * The arguments with which Node runs a module in a process of its own: compiled if the caller is, else from source.
 * @param base `import.meta.url` of the caller
 */
export function moduleArguments (base: string, name: string): string[] {
  const path = fileURLToPath(siblingModule(base, name))
  return path.endsWith('.ts') ? ['--import', 'tsx', path] : [path]
}

/** The arguments with which Node runs a program of the project. */
export function programArguments (name: 'server' | 'cli'): string[] {
  return moduleArguments(import.meta.url, `../src/${name}`)
}
