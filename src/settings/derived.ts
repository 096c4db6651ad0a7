import type { Settings } from './schema.ts'

/** The rule for room names. The whole name must match, even if the pattern has no anchors. */
export function roomNamePattern (settings: Settings): RegExp {
  return new RegExp(`^(?:${settings.ROOM_NAME_PATTERN})$`, 'u')
}

/** The origin of the web application, for links between documents: the first one without a wildcard. */
export function webOrigin (settings: Settings): string | undefined {
  return settings.COLLABORATION_SERVER_ORIGIN.find((origin) => !origin.includes('*'))
}

/** Fastify's `trustProxy` option. */
export function trustedProxies (settings: Settings): boolean | string {
  return settings.TRUST_PROXY === 'true' || (settings.TRUST_PROXY !== 'false' && settings.TRUST_PROXY)
}
