// The settings of `make dev`: the environment, then .env, then what development needs.
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

const fromFile = () => existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}
const set = (variables) => Object.entries(variables).filter(([, value]) => value.trim() !== '')

/** Reads the variables for the service. If no secret is set, it is `my-secret`. */
export function readVariables () {
  const given = Object.fromEntries([...set(fromFile()), ...set(process.env)])
  const secret = given.COLLABORATION_SERVER_SECRET_FILE ? {} : { COLLABORATION_SERVER_SECRET: 'my-secret' }
  return { NODE_ENV: 'development', ...secret, ...given }
}

/** @returns the secret, or undefined if its file does not exist, which the service reports */
export function secretOf ({ COLLABORATION_SERVER_SECRET: secret, COLLABORATION_SERVER_SECRET_FILE: file }) {
  if (secret) return secret.trim()
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** Adds the demo's origins to the value of COLLABORATION_SERVER_ORIGIN. */
export function withOrigins (given, port) {
  return [...given === undefined ? [] : [given], `http://localhost:${port}`, `http://127.0.0.1:${port}`].join(',')
}

/** Adds the demo's rooms to the pattern for room names: `demo`, and the UUIDs of its fresh documents. */
export function withRooms (given) {
  // Ours come first: after an unfinished class such as [a- they would complete it, and the service must reject it.
  return `demo|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|${given}`
}

/** @returns the host by which programs on this machine reach a service that listens on `host` */
export function reachable (host = '127.0.0.1') {
  const local = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return local.includes(':') ? `[${local}]` : local
}
