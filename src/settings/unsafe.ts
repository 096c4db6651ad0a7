import type { Settings } from './schema.ts'

/** Below this many characters a secret can be guessed; `secrets.token_urlsafe(32)` gives 43. */
const minSecretLength = 16

/** Whether unsafe settings stop the start. Unset, they only cause warnings, so that a first try needs one setting. */
export const isProduction = ({ NODE_ENV }: Settings): boolean => !['', 'development', 'test'].includes(NODE_ENV)

/** What must not be served in production: a sentence for each setting, none where all is well. */
export function findUnsafe (settings: Settings): string[] {
  const found = []
  for (const name of ['COLLABORATION_SERVER_SECRET', 'COLLABORATION_SERVER_SECRET_PREVIOUS', 'Y_PROVIDER_API_KEY'] as const) {
    const secret = settings[name]
    if (secret !== '' && secret.length < minSecretLength) found.push(`${name} is unsafe in production: use at least ${minSecretLength} random characters`)
  }
  if (settings.COLLABORATION_SERVER_ORIGIN.includes('*')) found.push('COLLABORATION_SERVER_ORIGIN must not be * in production: pages of any site could act with the cookies of your users')
  return found
}

/** Why an API key that is also a secret does less than expected; undefined where they differ. */
export function sharedKeyNote ({ Y_PROVIDER_API_KEY: key, COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS }: Settings): string | undefined {
  if (key === '') return undefined
  const token = key.replace(/^bearer +/i, '')
  const others = Object.entries({ COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS })
  const other = others.find(([, secret]) => secret === key || secret === token)?.[0]
  return other && `Y_PROVIDER_API_KEY is the same as ${other} and is not accepted as Bearer: give it a value of its own`
}
