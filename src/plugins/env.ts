import fastifyEnv from '@fastify/env'
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

/** What buildApp() was given, or the variables of the process: nothing else reads them. */
export const processEnvironment = (): Environment => process.env

/**
 * The settings, checked by `@fastify/env`. It runs on an instance of its own, since Fastify's options (log, trusted proxies) already depend on them.
 * @throws InvalidSettings with one line for the operator
 */
export async function readSettings (environment: Environment): Promise<Settings> {
  const reader = Fastify()
  try {
    await reader.register(fastifyEnv, { schema: structuredClone(settingsSchema), data: prepare(environment), env: false, ajv: { customOptions: addVocabulary } })
    const { config } = reader
    const unsafe = isProduction(config) ? findUnsafe(config) : []
    if (config.REDIS_URL !== '' && config.DATABASE_URL === '') throw new InvalidSettings('REDIS_URL needs DATABASE_URL: several nodes form one service only over a store that they share')
    if (unsafe.length > 0) throw new InvalidSettings(unsafe.join('; '))
    return config
  } catch (error) {
    // @fastify/env hangs Ajv's findings on a plain Error.
    const findings = (error as { errors?: readonly Finding[] }).errors
    throw findings === undefined ? error : new InvalidSettings(explain(findings, environment))
  } finally {
    await reader.close()
  }
}

/** Puts the settings on the instance as `app.config`, and warns of those that are unsafe, of an API key that is a secret too, of values in quotation marks, and of variables that look like misspelt ones. */
export default fp(async function env (app: FastifyInstance, options: { settings: Settings, environment: Environment }) {
  const { settings } = options
  app.decorate('config', Object.freeze(settings))
  for (const line of settings.NODE_ENV === '' ? findUnsafe(settings) : []) app.log.warn(line)
  const shared = sharedKeyNote(settings)
  if (shared !== undefined) app.log.warn(shared)
  for (const [name, value] of Object.entries(settings)) {
    if (isQuoted(value)) app.log.warn(`${name} ${quotedNote}`)
  }
  for (const { given, meant } of misspelt(options.environment)) {
    app.log.warn({ given, meant }, `${given} is no setting of this service and is ignored: did you mean ${meant}?`)
  }
}, { name: 'env', fastify: '5.x' })

/** The part of Ajv used here; @fastify/env brings Ajv itself. */
interface Vocabulary { addVocabulary (keywords: string[]): unknown, addFormat (name: string, check: (text: string) => boolean): unknown }

function addVocabulary<T extends Vocabulary> (ajv: T): T {
  ajv.addVocabulary([...annotations])
  for (const [name, { check }] of Object.entries(formats)) ajv.addFormat(name, check)
  return ajv
}
