import type { Refusal } from '../logging/refusals.ts'

/** Close codes that `ws` itself sends, by the code of its error; 1002 for all others (ws/lib/receiver.js). */
const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007,
}

/** @returns the refusal that `ws` has sent for a broken frame; undefined: the connection failed, which is no refusal */
export function refusalOf ({ code, message }: NodeJS.ErrnoException): Refusal | undefined {
  if (code?.startsWith('WS_ERR_') !== true) return undefined
  const closeCode = closeCodes[code] ?? 1002
  return { rule: closeCode === 1009 ? 'frameTooLarge' : 'brokenFrame', code: closeCode, reason: message }
}
