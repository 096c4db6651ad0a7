import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { readSettings } from '../../src/plugins/env.ts'
import { settings } from '../../src/settings/prepare.ts'
import { requireProgram } from '../processes.ts'
import { root } from '../root.ts'

/*
 * What can be tested of compose.yml without a container engine: its names, values and references are right.
 * scripts/check-image.sh runs the Dockerfile's steps.
 */

interface Service {
  readonly image?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
  readonly healthcheck?: object
  readonly stop_grace_period?: string
  readonly [more: string]: unknown
}

const text = (path: string): string => readFileSync(join(root, path), 'utf8')
/** As compose expands `${NAME:-default}` if nothing is set. */
const filledIn = text('compose.yml').replace(/\$\{\w+:-([^}]*)\}/g, '$1')
// A file that does not look like a compose file fails below.
const compose = parse(filledIn, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
}
const { services } = compose
const { 'y-provider': provider = {}, nginx = {}, django = {} } = services

t.test('All services exist, and refer to each other by name', async (t) => {
  t.same(Object.keys(services).sort(), ['django', 'nginx', 'postgres', 'redis', 'y-provider'])
  for (const [name, { depends_on: wanted = [], environment = {}, volumes = [] }] of Object.entries(services)) {
    for (const other of Array.isArray(wanted) ? wanted as string[] : Object.keys(wanted)) t.ok(other in services, `${name} waits for ${other}`)
    if (!Array.isArray(wanted)) {
      for (const [other, { condition }] of Object.entries(wanted as Record<string, { condition: string }>)) {
        t.ok(condition !== 'service_healthy' || services[other]?.healthcheck !== undefined, `${other} has a health check`)
      }
    }
    for (const value of Object.values(environment)) {
      const host = /^(?:https?|redis|postgres):\/\/(?:[^@/]*@)?([\w-]+)/.exec(value)?.[1]
      if (host !== undefined && host !== 'localhost') t.ok(host in services, `${name} calls ${host}`)
    }
    for (const volume of volumes) {
      const [source = ''] = volume.split(':')
      t.ok(source.startsWith('./') ? text(source) : source in compose.volumes, `${name} finds ${source}`)
    }
  }
})

t.test('The settings of y-provider are known and accepted in production', async (t) => {
  const known = new Set(settings.map(([name]) => name))
  for (const name of Object.keys(provider.environment ?? {})) t.ok(known.has(name), name)
  const image = Object.fromEntries([...(/^ENV (.*)$/m.exec(text('Dockerfile'))?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value]))
  const taken = await readSettings({ ...image, ...provider.environment })
  t.match(taken, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: 4444 })
  t.ok(parseInt(provider.stop_grace_period ?? '') * 1000 > taken.SHUTDOWN_TIMEOUT_MS, 'there is enough time to stop')
})

t.test('y-provider has no privileges that it does not need', async (t) => {
  t.match(provider, { read_only: true, tmpfs: ['/tmp'], cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], deploy: { replicas: 2 } })
  t.match(text('Dockerfile'), /^USER [1-9]\d*:[1-9]\d*$/m)
  t.match(text('Dockerfile'), /^HEALTHCHECK /m)
})

t.test('Django knows its settings', async (t) => {
  const known = text('examples/django/config/settings.py')
  for (const name of Object.keys(django.environment ?? {})) t.ok(known.includes(`"${name}"`), name)
  t.equal(django.environment?.['COLLABORATION_SERVER_SECRET'], provider.environment?.['COLLABORATION_SERVER_SECRET'])
})

t.test('Nginx accepts its configuration, with the values of compose.yml', async (t) => {
  requireProgram('/usr/sbin/nginx', 'nginx-light')
  const template = text('examples/nginx/cookies.conf.template')
  const wanted = new Set([...template.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))
  t.same(new Set(Object.keys(nginx.environment ?? {})), wanted)
  const folder = mkdtempSync(join(tmpdir(), 'y-compose-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  mkdirSync(join(folder, 'tmp'))
  // Only here: the names of other services are unknown on this machine, and port 80 and /var/log belong to others.
  const here: Record<string, string> = { DJANGO_ADDRESS: '127.0.0.1:8000', Y_PROVIDER_ADDRESS: '127.0.0.1:4444', NGINX_LISTEN: '127.0.0.1:8080', NGINX_ACCESS_LOG: join(folder, 'access.log') }
  writeFileSync(join(folder, 'site.conf'), template.replace(/\$\{(\w+)\}/g, (_, name: string) => here[name] ?? nginx.environment?.[name] ?? ''))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp;`).join(' ')
  writeFileSync(join(folder, 'nginx.conf'), `pid ${folder}/pid; error_log stderr; events {} http { ${paths} include site.conf; }`)
  t.doesNotThrow(() => execFileSync('/usr/sbin/nginx', ['-t', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: 'pipe' }))
})
