import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Makes the check of a raw `Authorization` header against the accepted secrets. Empty secrets are ignored: a setting
 * that is not set gives no access. The time of a check reveals nothing about the secrets: all digests have one length,
 * and every one of them is compared.
 */
export function createSecretCheck (secrets: readonly string[]): (authorization: string | undefined) => boolean {
  const accepted = secrets.filter((secret) => secret !== '').map(digest)
  return function isAccepted (authorization) {
    const given = digest(authorization ?? '')
    let matches = 0
    for (const secret of accepted) matches += Number(timingSafeEqual(secret, given))
    return matches > 0
  }
}

/**
 * Makes the check of an `Authorization` header on the HTTP routes: a secret is accepted raw, the API key raw or as
 * `Bearer` (in upper or lower case, RFC 9110, 11.1). A secret is never accepted as `Bearer`, even if it is the API key
 * too.
 */
export function createHttpCheck (
  secrets: readonly string[],
  apiKey: string
): (authorization: string | undefined) => boolean {
  const isSecret = createSecretCheck(secrets)
  const isKey = createSecretCheck([apiKey])
  return function opensHttp (authorization) {
    const token = /^bearer +(.*)$/i.exec(authorization ?? '')?.[1]
    // All four are always compared, so that the time reveals nothing.
    const [secretRaw, secretAsBearer] = [isSecret(authorization), isSecret(token)]
    const [keyRaw, keyAsBearer] = [isKey(authorization), isKey(token)]
    return secretRaw || (!secretAsBearer && (keyRaw || keyAsBearer))
  }
}

/** SHA-256, so that both sides of the comparison are always 32 bytes. */
const digest = (text: string) => createHash('sha256').update(text).digest()
