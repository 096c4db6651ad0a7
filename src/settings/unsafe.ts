import type { Settings } from './schema.ts'

/** Characters; a shorter secret can be guessed. `secrets.token_urlsafe(32)` returns 43. */
const minSecretLength = 16

/** Whether unsafe settings stop the start. Without NODE_ENV they only cause warnings, so that a first try is easy. */
export const isProduction = ({ NODE_ENV }: Settings): boolean => !['', 'development', 'test'].includes(NODE_ENV)

/** A sentence for each setting that is unsafe in production. */
export function findUnsafe (settings: Settings): string[] {
  const found = []
  for (const name of ['COLLABORATION_SERVER_SECRET', 'COLLABORATION_SERVER_SECRET_PREVIOUS', 'Y_PROVIDER_API_KEY'] as const) {
    const secret = settings[name]
    if (secret !== '' && secret.length < minSecretLength) found.push(`${name} is unsafe in production: use at least ${minSecretLength} random characters`)
  }
  if (settings.COLLABORATION_SERVER_ORIGIN.includes('*')) found.push('COLLABORATION_SERVER_ORIGIN must not be * in production: pages of any site could act with the cookies of your users')
  return found
}

/** A warning about an API key that is also a secret; undefined if they differ. */
export function sharedKeyNote (settings: Settings): string | undefined {
  const { Y_PROVIDER_API_KEY: key, COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS } = settings
  if (key === '') return undefined
  const token = key.replace(/^bearer +/i, '')
  const secrets = Object.entries({ COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS })
  const name = secrets.find(([, secret]) => secret === key || secret === token)?.[0]
  return name && `Y_PROVIDER_API_KEY is the same as ${name} and is not accepted as Bearer: give it a value of its own`
}
