import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Stopping } from '../errors.ts'
import { causeOf } from '../logging/outage-log.ts'

/** Resolves where a part can do its work, rejects (with the reason for the log) where it cannot. */
type Check = () => Promise<void>

/** Which parts must work before requests should come here. Plugins add theirs. */
export interface Readiness {
  add (name: string, check: Check): void
  /**
   * Runs all checks at once. What failed is logged once, with its reason, and once more when it works again.
   * @returns the names of the parts that cannot work, or `stopping`; none: the service is ready
   */
  findFailing (): Promise<readonly string[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly readiness: Readiness
    /** The service is stopping: what is under way ends, nothing new begins. */
    readonly draining: boolean
    /** An onRequest hook that answers 503 while the service is stopping. */
    readonly refuseWhileDraining: () => Promise<void>
  }
}

/** A load balancer asks every few seconds; a check that takes longer than this has failed. */
const checkTimeoutMs = 2000

/** Knows whether the service can work. Registered first, so that it stops being ready before anything else stops. */
export default fp(async function readiness (app: FastifyInstance) {
  const checks = new Map<string, Check>()
  const failing = new Set<string>()
  let draining = false

  async function passes ([name, check]: [string, Check]): Promise<boolean> {
    try {
      await withTimeout(check())
      if (failing.delete(name)) app.log.info({ part: name }, 'ready again')
      return true
    } catch (error) {
      if (!failing.has(name)) app.log.error({ part: name, ...causeOf(error) }, 'not ready')
      failing.add(name)
      return false
    }
  }

  app.decorate('readiness', {
    add: (name, check) => { checks.set(name, check) },
    findFailing: async () => {
      if (draining) return ['stopping']
      const passed = await Promise.all([...checks].map(passes))
      return [...checks.keys()].filter((_, at) => passed[at] !== true)
    },
  })
  app.decorate('draining', { getter: () => draining })
  app.decorate('refuseWhileDraining', async function refuseWhileDraining () {
    if (draining) throw new Stopping()
  })
  app.addHook('preClose', async function stopBeingReady () {
    draining = true
  })
}, { name: 'readiness', fastify: '5.x' })

async function withTimeout (running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs)
  })
  try {
    await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}
