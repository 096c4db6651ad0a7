import type { Refusal } from '../refusals.ts'

/** Codes that `ws` closes a socket with by itself, by the code of its error; 1002 for the rest (ws/lib/receiver.js). */
const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007,
}

/** @returns how `ws` has refused what a client sent; undefined where the connection failed, which refuses nobody */
export function refusalOf ({ code, message }: NodeJS.ErrnoException): Refusal | undefined {
  if (code?.startsWith('WS_ERR_') !== true) return undefined
  const closeCode = closeCodes[code] ?? 1002
  return { rule: closeCode === 1009 ? 'frameTooLarge' : 'brokenFrame', code: closeCode, reason: message }
}
