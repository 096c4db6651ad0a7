import fastifyEnv, { type FastifyEnvOptions } from '@fastify/env'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { explain, type Finding } from '../settings/explain.ts'
import { formats } from '../settings/formats.ts'
import { InvalidSettings } from '../settings/invalid-settings.ts'
import { misspelt } from '../settings/misspelt.ts'
import { prepare, type Environment } from '../settings/prepare.ts'
import { isQuoted, quotedNote } from '../settings/quoted.ts'
import { annotations, settingsSchema, type Settings } from '../settings/schema.ts'
import { findUnsafe, isProduction, sharedKeyNote } from '../settings/unsafe.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly config: Settings }
}

/** The variables of the process, which nothing else of the service reads. */
export const processEnvironment = (): Environment => process.env

/** Ajv as @fastify/env hands it out, which depends on it. */
type Ajv = Parameters<Exclude<NonNullable<FastifyEnvOptions['ajv']>, { validate: unknown }>['customOptions']>[0]

/** A copy, because @fastify/env changes it; the same one each time, which Ajv compiles once. */
const schema = structuredClone(settingsSchema)
let validator: Ajv | undefined

/**
 * Reads the settings and checks them with `@fastify/env`, on an instance of its own, because the options of the
 * service's instance (log, trusted proxies) depend on them.
 * @throws InvalidSettings with one line for the operator
 */
export async function readSettings (environment: Environment): Promise<Settings> {
  const reader = Fastify()
  try {
    await reader.register(fastifyEnv, {
      schema,
      data: prepare(environment),
      env: false,
      ajv: validator ?? { customOptions: (ajv) => (validator = addVocabulary(ajv)) },
    })
    const { config } = reader
    const unsafe = isProduction(config) ? findUnsafe(config) : []
    if (config.REDIS_URL !== '' && config.DATABASE_URL === '') throw new InvalidSettings('REDIS_URL needs DATABASE_URL: the nodes of a service must share a store')
    if (unsafe.length > 0) throw new InvalidSettings(unsafe.join('; '))
    return config
  } catch (error) {
    // @fastify/env adds Ajv's findings to a plain Error.
    const findings = (error as { errors?: readonly Finding[] }).errors
    throw findings === undefined ? error : new InvalidSettings(explain(findings, environment))
  } finally {
    await reader.close()
  }
}

interface EnvOptions {
  readonly settings: Settings
  readonly environment: Environment
}

/**
 * Adds `app.config`, the settings. Warns about unsafe ones, an API key that is a secret too, values in quotation marks,
 * and variables that look misspelt.
 */
export default fp(async function env (app: FastifyInstance, options: EnvOptions) {
  const { settings } = options
  app.decorate('config', Object.freeze(settings))
  for (const line of settings.NODE_ENV === '' ? findUnsafe(settings) : []) app.log.warn(line)
  const shared = sharedKeyNote(settings)
  if (shared !== undefined) app.log.warn(shared)
  for (const [name, value] of Object.entries(settings)) {
    if (isQuoted(value)) app.log.warn(`${name} ${quotedNote}`)
  }
  for (const { given, meant } of misspelt(options.environment)) {
    app.log.warn({ given, meant }, `${given} is not a setting of this service and is ignored: did you mean ${meant}?`)
  }
}, { name: 'env', fastify: '5.x' })

function addVocabulary (ajv: Ajv): Ajv {
  ajv.addVocabulary([...annotations])
  for (const [name, { check }] of Object.entries(formats)) ajv.addFormat(name, check)
  return ajv
}
