import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Stopping } from '../errors.ts'
import { causeOf } from '../logging/outage-log.ts'
import { within } from '../wait/within.ts'

/** Resolves if a part can work; rejects with the reason if it cannot. */
type Check = () => Promise<void>

/** The parts that must work before the service takes requests. */
export interface Readiness {
  /** Adds the check of a part. */
  add (name: string, check: Check): void
  /**
   * Runs all checks at once. Logs each failure once, with its reason, and once more when the part works again.
   * @returns the names of the parts that cannot work, or `stopping`; none: the service is ready
   */
  findFailing (): Promise<readonly string[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly readiness: Readiness
    /** Whether the service is stopping: pending requests end, and new ones are refused. */
    readonly draining: boolean
    /** An onRequest hook that answers 503 while the service is stopping. */
    readonly refuseWhileDraining: () => Promise<void>
  }
}

/** Ms; a check that takes longer has failed. Load balancers ask every few seconds. */
const checkTimeoutMs = 2000

/**
 * Adds `app.readiness`, `app.draining` and `app.refuseWhileDraining`. Registered early, so that the service stops being
 * ready before any other part stops.
 */
export default fp(async function readiness (app: FastifyInstance) {
  const checks = new Map<string, Check>()
  const failing = new Set<string>()
  let draining = false

  async function passes ([name, check]: [string, Check]): Promise<boolean> {
    try {
      await within(check(), checkTimeoutMs, () => { throw new Error(`no answer within ${checkTimeoutMs} ms`) })
      if (failing.delete(name)) app.log.info({ part: name }, 'A part of the service works again')
      return true
    } catch (error) {
      if (!failing.has(name)) app.log.error({ part: name, ...causeOf(error) }, 'A part of the service failed its check')
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
