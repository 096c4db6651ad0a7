import { Browser } from '../django/browser.ts'
import { DjangoProject } from '../django/django-project.ts'
import { ProviderProcess } from '../django/provider-process.ts'
import { freePort } from '../free-port.ts'
import { NginxProcess } from './nginx-process.ts'

export const secret = 'the-secret-that-no-browser-may-see'

/** The address of a site, and its users. */
export interface Site {
  /** The address for browsers: nginx. */
  origin: string
  django: DjangoProject
  djangoUrl: string
  provider: ProviderProcess
  nginx: NginxProcess
  /** A browser, signed in as one of the demo users (alice, bob, carol), or not signed in. */
  browser (name?: string): Promise<Browser>
}

interface Test { teardown (undo: () => unknown): unknown }

/** Starts Django, y-provider and nginx with one of the documented configurations; they end with the test. */
export async function startSite (t: Test, style: 'auth-request' | 'cookies'): Promise<Site> {
  const django = new DjangoProject()
  const provider = new ProviderProcess()
  const nginx = new NginxProcess()
  const browsers: Browser[] = []
  t.teardown(async () => {
    for (const browser of browsers) browser.close()
    await nginx.remove()
    await provider.remove()
    await django.remove()
  })

  const [nginxPort, providerPort] = [await freePort(), await freePort()]
  const origin = `http://127.0.0.1:${nginxPort}`
  const shared = { COLLABORATION_SERVER_SECRET: secret, COLLABORATION_SERVER_ORIGIN: origin }
  django.configure({
    ...shared,
    DJANGO_DEBUG: 'true',
    Y_PROVIDER_BASE_URL: `http://127.0.0.1:${providerPort}`,
    COLLABORATION_AUTH_REQUEST: String(style === 'auth-request'),
  })
  for (const command of [['migrate', '--verbosity=0'], ['demo_users']]) {
    const { status, output } = django.manage(...command)
    if (status !== 0) throw new Error(output)
  }
  const djangoUrl = await django.restart()
  const providerUrl = await provider.restart({
    ...shared,
    PORT: String(providerPort),
    ...(style === 'cookies' && { COLLABORATION_BACKEND_BASE_URL: djangoUrl }),
  })
  await nginx.start(style, {
    DJANGO_ADDRESS: new URL(djangoUrl).host,
    Y_PROVIDER_ADDRESS: new URL(providerUrl).host,
    NGINX_LISTEN: `127.0.0.1:${nginxPort}`,
    NGINX_SERVER_NAME: '127.0.0.1',
  })

  async function browser (name?: string) {
    const opened = new Browser(origin)
    browsers.push(opened)
    if (name !== undefined) await opened.signIn(name)
    return opened
  }
  return { origin, django, djangoUrl, provider, nginx, browser }
}
