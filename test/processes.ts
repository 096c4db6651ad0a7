import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** How a process is started: all options except `ready` as in `child_process.spawn`. */
export interface StartOptions {
  /** The line (standard output or error) that reports the process as ready. */
  ready: RegExp
  /** Added to this process' environment, or only to its PATH if `inherit` is false. */
  env?: Record<string, string>
  inherit?: boolean
  cwd?: string
  /** How long to wait for the line; 30,000 by default. */
  readyTimeoutMs?: number
}

/** A process that has reported that it is ready. */
export interface Running {
  readonly pid: number
  /** The match of the `ready` pattern, so a test can read a port from it. */
  readonly ready: RegExpMatchArray
  /** All output so far, standard output and error as they arrived. */
  output (): string
  /**
   * The first match in the output from index `from` on (default 0), now or later.
   * @throws if the process ends or `timeoutMs` passes first
   */
  line (pattern: RegExp, options?: { from?: number, timeoutMs?: number }): Promise<RegExpMatchArray>
  /**
   * Ends the process and returns its exit code, or `null` if a signal ended it. Stopping twice is harmless; a process
   * that does not stop in 15 s is killed.
   */
  stop (signal?: NodeJS.Signals): Promise<number | null>
}

const children = new Set<ReturnType<typeof spawn>>()
process.once('exit', function killWhatIsLeft () {
  for (const child of children) killGroup(child)
})

/** Signals its children too, such as the workers of nginx: it leads a process group. */
function killGroup ({ pid }: ReturnType<typeof spawn>): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // A process that has just ended by itself is no fault. Node's errors of kill carry a code.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Starts a program and waits, without polling, until it prints its `ready` line.
 * @throws if it cannot be started, ends early or stays silent; the message contains its output
 */
export async function start (command: string, args: string[], options: StartOptions): Promise<Running> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...(options.inherit === false ? { PATH: process.env['PATH'] } : process.env), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const name = [command, ...args].join(' ')
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  children.add(child)
  child.once('close', () => children.delete(child)).once('error', () => children.delete(child))

  let output = ''
  let over: string | undefined
  const watchers = new Set<() => void>()
  const notify = () => { for (const watcher of [...watchers]) watcher() }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text; notify() })
  }
  child.once('error', (error) => { over = error.message; notify() })
  child.once('close', (code, signal) => { over ??= `ended with ${signal ?? code}`; notify() })

  function line (pattern: RegExp, { from = 0, timeoutMs = 30_000 } = {}): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(undefined, `did not print ${pattern} within ${timeoutMs} ms`), timeoutMs)
      function finish (match: RegExpMatchArray | undefined, failure: string) {
        clearTimeout(timer)
        watchers.delete(look)
        if (match) resolve(match)
        else reject(new Error(`${name}: ${failure}\n${output}`))
      }
      function look () {
        const match = output.slice(from).match(pattern)
        if (match || over) finish(match ?? undefined, over ?? '')
      }
      watchers.add(look)
      look()
    })
  }

  async function stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const deadline = setTimeout(() => killGroup(child), 15_000)
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const code = await ended
    clearTimeout(deadline)
    return code
  }

  try {
    const ready = await line(options.ready, { timeoutMs: options.readyTimeoutMs ?? 30_000 })
    // spawn sets the pid of every process that printed a line.
    return { pid: child.pid as number, ready, output: () => output, line, stop }
  } catch (error) {
    await stop('SIGKILL')
    throw error
  }
}

/** Debian's own Python: another `python3` on the PATH does not see the packages of apt. */
export const python = '/usr/bin/python3'

/**
 * Checks that a program is installed.
 * @throws with the command to type if it is not
 */
export function requireProgram (path: string, debianPackage: string): void {
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install ${debianPackage}`)
}

/**
 * Checks that Debian's Python can import modules, given as module → Debian package.
 * @throws with the command to type if it cannot
 */
export function requirePython (modules: Record<string, string>, interpreter = python): void {
  requireProgram(interpreter, 'python3')
  const missing = Object.keys(modules).filter((name) => spawnSync(interpreter, ['-c', `import ${name}`]).status !== 0)
  if (missing.length === 0) return
  throw new Error(`${interpreter} cannot import ${missing.join(', ')}: apt-get install ${missing.map((name) => modules[name]).join(' ')}`)
}
