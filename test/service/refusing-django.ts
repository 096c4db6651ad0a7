import { answer, mayEdit, routes, startDjango, type Handler } from '../access/django.ts'
import { listen } from '../helper.ts'

/** A service with a Django that denies access to all rooms except those in `open`. `document` answers instead. */
export async function start (
  t: Parameters<typeof startDjango>[0],
  env: { readonly [name: string]: string } = {},
  document?: Handler
) {
  const open = new Set<string>()
  const lines: string[] = []
  const judge: Handler = ({ url = '' }, response) => { answer(response, open.has(url.split('/')[4] ?? '') ? 200 : 403, mayEdit) }
  const django = await startDjango(t, routes(document ?? judge))
  const service = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, COLLABORATION_BACKEND_TIMEOUT: '60000', ...env }, { write: (line) => { lines.push(line) } })
  const refusals = (): Array<Record<string, unknown>> => lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Refused a client')
  return { ...service, django, open, refusals }
}
