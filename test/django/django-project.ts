import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { python, requirePython, start } from '../processes.ts'
import type { Running } from '../processes.ts'
import { root } from '../root.ts'

/** The Debian packages of the example's imports. */
export const debianPackages = { django: 'python3-django', requests: 'python3-requests', jwt: 'python3-jwt' }

/** The output of `manage.py`, and its end. */
export interface CommandResult { status: number | null, output: string }

/**
 * A copy of `examples/django` in a folder of its own, so that a test can write its `.env` as a person would.
 * The process does not inherit this environment: only the file counts.
 */
export class DjangoProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'y-provider-django-'))
  #running: Running | undefined

  constructor () {
    requirePython(debianPackages)
    const generated = /\/(run|dist|db\.sqlite3|\.env|__pycache__)$/
    cpSync(join(root, 'examples/django'), this.folder, { recursive: true, filter: (path) => !generated.test(path) })
  }

  /** Writes the `.env` file; an undefined value omits its line. */
  configure (settings: Record<string, string | undefined>): void {
    const lines = Object.entries(settings).flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}\n`])
    writeFileSync(join(this.folder, '.env'), lines.join(''))
  }

  /** Runs `manage.py` to its end. */
  manage (...args: string[]): CommandResult {
    const { status, stdout, stderr } = spawnSync(python, ['manage.py', ...args], { cwd: this.folder, env: this.#env(), encoding: 'utf8' })
    return { status, output: stdout + stderr }
  }

  /** Starts it, or restarts it if it runs. @returns its base URL */
  async restart (port = 0): Promise<string> {
    await this.stop()
    const serve = join(root, 'test/django/serve.py')
    this.#running = await start(python, [serve], { cwd: this.folder, env: { ...this.#env(), PORT: String(port) }, inherit: false, ready: /Django listens on (\S+)/ })
    // The pattern has this group.
    return this.#running.ready[1] as string
  }

  /** The output of the running server: one line per request, and the log. */
  get log (): string {
    return this.#running?.output() ?? ''
  }

  async stop (): Promise<void> {
    await this.#running?.stop()
  }

  async remove (): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** A file of the project, as text. */
  read (path: string): string {
    return readFileSync(join(this.folder, path), 'utf8')
  }

  #env () {
    return { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' }
  }
}
