import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '../processes.ts'
import type { Running } from '../processes.ts'
import { programArguments } from '../program.ts'
import { root } from '../root.ts'

/** y-provider in a process of its own, started as documented, with a store that survives its restarts. */
export class ProviderProcess {
  readonly #data = mkdtempSync(join(tmpdir(), 'y-provider-data-'))
  #running: Running | undefined

  /**
   * Starts it, or restarts it if it runs.
   * @param settings its whole environment except PATH, HOST and DATA_DIR; PORT 0 is a free one
   * @returns its base URL
   */
  async restart (settings: Record<string, string>): Promise<string> {
    await this.stop()
    this.#running = await start(process.execPath, programArguments('server'), {
      cwd: root,
      env: { HOST: '127.0.0.1', DATA_DIR: this.#data, ...settings },
      inherit: false,
      ready: /[Ll]istening (?:at|on) (http:\/\/[\d.]+:\d+)/,
    })
    // The pattern has this group.
    return this.#running.ready[1] as string
  }

  get log (): string {
    return this.#running?.output() ?? ''
  }

  async stop (): Promise<void> {
    await this.#running?.stop()
  }

  async remove (): Promise<void> {
    await this.stop()
    rmSync(this.#data, { recursive: true, force: true })
  }
}
