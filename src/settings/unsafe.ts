import type { Settings } from './schema.ts'

/** Below this many characters a secret can be guessed; `secrets.token_urlsafe(32)` gives 43. */
const minSecretLength = 16

/** What must not be served in production, as one line, or undefined where all is well. */
export function unsafeInProduction (settings: Settings): string | undefined {
  const found = []
  for (const name of ['COLLABORATION_SERVER_SECRET', 'COLLABORATION_SERVER_SECRET_PREVIOUS', 'Y_PROVIDER_API_KEY'] as const) {
    const secret = settings[name]
    if (secret !== '' && secret.length < minSecretLength) found.push(`${name} is unsafe in production: use at least ${minSecretLength} random characters`)
  }
  if (settings.COLLABORATION_SERVER_ORIGIN.includes('*')) found.push('COLLABORATION_SERVER_ORIGIN must not be * in production: pages of any site could act with the cookies of your users')
  return found.length === 0 ? undefined : found.join('; ')
}
