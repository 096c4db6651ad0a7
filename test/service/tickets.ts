import { SignJWT } from 'jose'
import { secret } from '../helper.ts'

/** A ticket as issued by Django: valid for a minute and read-only, unless the claims say otherwise. */
export function mint (
  room: string,
  claims: { readonly [name: string]: unknown } = {},
  key: string = secret
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60
  return new SignJWT({ room, exp, ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(key))
}
