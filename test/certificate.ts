import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PEM files. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** Makes `name.crt`, self-signed and valid for 127.0.0.1, and `name.key`. */
export async function makeCertificate (folder: string, name: string): Promise<Certificate> {
  const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate])
  return { certificate, key }
}
