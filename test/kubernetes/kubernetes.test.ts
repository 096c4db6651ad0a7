import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'
import { readSettings } from '../../src/plugins/env.ts'
import { settings } from '../../src/settings/prepare.ts'
import { listen } from '../helper.ts'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Secret, Service } from 'kubernetes-types/core/v1.js'
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { rootUrl as root } from '../root.ts'

/** The manifests of examples/kubernetes, by kind: one of each. */
interface Manifests {
  readonly Deployment: Deployment
  readonly NetworkPolicy: NetworkPolicy
  readonly PodDisruptionBudget: PodDisruptionBudget
  readonly Secret: Secret
  readonly Service: Service
}

/** The spec of a pod, for faults that its type would not allow. */
interface LooseSpec { containers: [Record<string, unknown>], [field: string]: unknown }

const folder = new URL('examples/kubernetes/', root)
const documents = readdirSync(folder).flatMap((name) => parseAllDocuments(readFileSync(new URL(name, folder), 'utf8'))).map((document) => {
  if (document.errors.length > 0) throw document.errors[0]
  return document.toJS() as { apiVersion: string, kind: keyof Manifests }
})
// The first test compares them with the types of the Kubernetes API.
const manifests = Object.fromEntries(documents.map((document) => [document.kind, document])) as unknown as Manifests

/** The types of each API group, which are made from the OpenAPI description of Kubernetes. */
const typesOf: Readonly<Record<string, string>> = { v1: 'core/v1', 'apps/v1': 'apps/v1', 'networking.k8s.io/v1': 'networking/v1', 'policy/v1': 'policy/v1' }

/**
 * Compiles manifests as literals of their types, so that an unknown field is an error, like a missing or mistyped one.
 * @returns the faults of each
 */
function check (checked: ReadonlyArray<{ apiVersion: string, kind: string }>): string[] {
  const typeName = ({ apiVersion, kind }: { apiVersion: string, kind: string }) => `import('kubernetes-types/${typesOf[apiVersion]}.js').${kind}`
  const text = checked.map((manifest, index) => `export const manifest${index}: ${typeName(manifest)} = ${JSON.stringify(manifest)}`).join('\n')
  const path = fileURLToPath(new URL('test/kubernetes/manifests.ts', root))
  const options = { strict: true, noEmit: true, types: [], lib: ['lib.es5.d.ts'], target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext }
  const source = ts.createSourceFile(path, text, options.target)
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) => name === path ? source : getSourceFile(name, ...rest)
  const found = ts.getPreEmitDiagnostics(ts.createProgram([path], options, host), source)
  return checked.map((_, index) => {
    const here = found.filter(({ start = 0 }) => source.getLineAndCharacterOfPosition(start).line === index)
    return here.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n')
  })
}

const podSpec = manifests.Deployment.spec?.template.spec
const [container] = podSpec?.containers ?? []
if (podSpec === undefined || container === undefined) throw new Error('The deployment has no container.')
const secrets = manifests.Secret.stringData ?? {}
const plain = Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value]))
const image = Object.fromEntries([...(/^ENV (.*)$/m.exec(readFileSync(new URL('Dockerfile', root), 'utf8'))?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value]))
/** As an operator would fill them in. */
const filledIn = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.replace('change-me', 'only-for-this-check-0123456789')]))

t.test('The manifests match the Kubernetes API, one of each kind', async (t) => {
  t.same(documents.map(({ kind }) => kind).sort(), ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret', 'Service'])
  const changes: ReadonlyArray<readonly [(pod: LooseSpec) => void, RegExp]> = [
    [({ containers: [container] }) => { container['livenesProbe'] = {} }, /livenesProbe"?' does not exist/],
    [(spec) => { spec['terminationGracePeriodSeconds'] = '20' }, /'string' is not assignable to type 'number'/],
    [({ containers: [container] }) => { delete container['name'] }, /'?name"?' is missing/],
  ]
  const pods = changes.map(([change]) => {
    const spec = structuredClone(podSpec) as unknown as LooseSpec
    change(spec)
    return { apiVersion: 'v1', kind: 'Pod', spec }
  })
  const found = check([...documents, ...pods])
  t.same(found.slice(0, documents.length), documents.map(() => ''))
  for (const [index, [, fault]] of changes.entries()) t.match(found[documents.length + index], fault, 'and a fault would be found')
})

t.test('The manifests refer to each other by their labels and names', async (t) => {
  const labels = manifests.Deployment.spec?.template.metadata?.labels
  t.ok(labels)
  t.same(manifests.Deployment.spec?.selector.matchLabels, labels)
  t.same(manifests.Service.spec?.selector, labels)
  t.same(manifests.PodDisruptionBudget.spec?.selector?.matchLabels, labels)
  t.same(manifests.NetworkPolicy.spec?.podSelector.matchLabels, labels)
  t.same(podSpec.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels, labels)
  t.same(container.envFrom, [{ secretRef: { name: manifests.Secret.metadata?.name } }])
  const [port] = container.ports ?? []
  t.match(port, { containerPort: Number(image['PORT']) })
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    t.equal(probe?.httpGet?.port, port?.name)
  }
  t.equal(manifests.Service.spec?.ports?.[0]?.targetPort, port?.name)
  t.same(manifests.NetworkPolicy.spec?.ingress?.[0]?.ports, [{ port: port?.name }])
})

t.test('The network policy opens the ports that the settings name', async (t) => {
  const defaults: Record<string, string> = { 'postgres:': '5432', 'redis:': '6379' }
  const wanted = [filledIn['DATABASE_URL'], filledIn['REDIS_URL'], plain['COLLABORATION_BACKEND_BASE_URL']].map((address = '') => {
    const { protocol, hostname, port } = new URL(address)
    return { name: hostname, port: Number(port || defaults[protocol]) }
  })
  const open = (manifests.NetworkPolicy.spec?.egress ?? []).flatMap(({ to = [], ports = [] }) => {
    return to.flatMap(({ podSelector }) => ports.map(({ port }) => ({ name: podSelector?.matchLabels?.['app.kubernetes.io/name'], port })))
  })
  for (const each of wanted) t.ok(open.some(({ name, port }) => name === each.name && port === each.port), `${each.name}:${each.port}`)
})

t.test('The settings are known and accepted in production once the secrets are filled in', async (t) => {
  const known = new Set(settings.map(([name]) => name))
  for (const name of [...Object.keys(plain), ...Object.keys(secrets)]) t.ok(known.has(name), name)
  const secretNames = settings.filter(([, { secret }]) => secret === true).map(([name]) => name)
  t.same(Object.keys(plain).filter((name) => secretNames.includes(name)), [], 'no secret is outside the Secret')
  await t.rejects(readSettings({ ...image, ...plain, ...secrets }), /COLLABORATION_SERVER_SECRET is unsafe/, 'unchanged they do not start')
  const taken = await readSettings({ ...image, ...plain, ...filledIn })
  t.match(taken, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: container.ports?.[0]?.containerPort })
  const preStop = Number(container.lifecycle?.preStop?.exec?.command?.[1])
  t.ok(Number(podSpec.terminationGracePeriodSeconds) > preStop + taken.SHUTDOWN_TIMEOUT_MS / 1000, 'there is enough time to stop')
})

t.test('The probes ask public routes', async (t) => {
  const { url } = await listen(t)
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    t.equal((await fetch(`${url}${probe?.httpGet?.path}`)).status, 200, `${probe?.httpGet?.path}`)
  }
  t.equal(container.livenessProbe?.httpGet?.path, '/ping', 'a database that is down is no reason to restart')
  t.equal(container.readinessProbe?.httpGet?.path, '/health/ready')
})

t.test('The container has only the privileges it needs, and one node remains available', async (t) => {
  t.match(readFileSync(new URL('Dockerfile', root), 'utf8'), /^USER [1-9]\d*:[1-9]\d*$/m, 'a number, as runAsNonRoot needs it')
  t.match(podSpec, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } })
  t.match(container, {
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    resources: { requests: { cpu: /./, memory: /./ }, limits: { memory: /./ } },
  })
  t.match(manifests.Deployment.spec, { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0 } } })
  t.match(manifests.PodDisruptionBudget.spec, { maxUnavailable: 1 })
  t.match(manifests.Service.spec, { sessionAffinity: 'None' })
})
