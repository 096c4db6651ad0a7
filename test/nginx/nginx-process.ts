import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireProgram, start } from '../processes.ts'
import type { Running } from '../processes.ts'
import { rootUrl } from '../root.ts'

const program = '/usr/sbin/nginx'
const templates = fileURLToPath(new URL('examples/nginx/', rootUrl))

/** The values for a template of `examples/nginx/`. */
export interface TemplateValues {
  /** host:port */
  DJANGO_ADDRESS: string
  /** host:port; of several nodes, separated by blanks */
  Y_PROVIDER_ADDRESS: string
  NGINX_LISTEN: string
  NGINX_SERVER_NAME: string
}

/**
 * Debian's nginx with one of the configurations that `docs/nginx.md` shows, or with another template, in a folder of
 * its own.
 */
export class NginxProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'y-provider-nginx-'))
  readonly #accessLog = join(this.folder, 'access.log')
  #running: Running | undefined

  async start (template: 'auth-request' | 'cookies' | URL, values: TemplateValues): Promise<void> {
    requireProgram(program, 'nginx-light')
    writeFileSync(join(this.folder, 'site.conf'), this.#fill(template, values))
    writeFileSync(join(this.folder, 'nginx.conf'), this.#main())
    mkdirSync(join(this.folder, 'tmp'))
    this.#running = await start(program, ['-p', this.folder, '-c', 'nginx.conf', '-e', 'stderr'], { ready: /start worker process \d+/ })
  }

  /** The access log of the WebSocket locations. nginx writes a line when a request, here a connection, ends. */
  get accessLog (): string {
    return readFileSync(this.#accessLog, 'utf8')
  }

  get log (): string {
    return this.#running?.output() ?? ''
  }

  /** Waits for a line of the error log. */
  async line (pattern: RegExp): Promise<void> {
    await this.#running?.line(pattern)
  }

  async remove (): Promise<void> {
    await this.#running?.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** As envsubst does it in the nginx image. */
  #fill (template: string | URL, values: TemplateValues): string {
    const all: Record<string, string> = { ...values, NGINX_ACCESS_LOG: this.#accessLog }
    const text = readFileSync(typeof template === 'string' ? join(templates, `${template}.conf.template`) : template, 'utf8')
    const nodes = values.Y_PROVIDER_ADDRESS.split(' ')
    const forNodes = text.replace(/^.*\$\{Y_PROVIDER_ADDRESS\}.*\n/m, (line) => nodes.map((address) => line.replace(/\$\{Y_PROVIDER_ADDRESS\}/, address)).join(''))
    return forNodes.replaceAll(/\$\{([A-Z_]+)\}/g, function fillIn (_whole, name: string) {
      const value = all[name]
      if (value === undefined) throw new Error(`The template ${template} asks for ${name}, which has no value.`)
      return value
    })
  }

  #main (): string {
    const asRoot = process.getuid?.() === 0 ? 'user root;' : ''
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `${asRoot}
      daemon off;
      worker_processes 1;
      pid nginx.pid;
      error_log stderr notice;
      events { worker_connections 256; }
      http {
        access_log off;
        ${kinds.map((kind) => `${kind}_temp_path tmp/${kind};`).join('\n')}
        include site.conf;
      }
    `
  }
}
