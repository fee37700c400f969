import { html } from '../../base/index.ts'
import { wordsFor } from '../../i18n/index.ts'
import { visitorPage } from '../../ui/index.ts'

/** The addresses of a running development environment. */
export interface Addresses {
  readonly engineUrl: string
  readonly issuer: string
  readonly controlUrl: string
  readonly adminUrl: string
  readonly appUrl: string | undefined
}

/** The addresses of the engine itself: what a newcomer opens in a browser. */
const ownPaths = ['/', '/oauth2', '/oauth2/default']

/**
 * The page of the engine for a browser that opens an address where nothing is served: it is the engine's own address, or
 * there is no such page; either way it leads on. Programs get JSON.
 */
export function landingPage(path: string, addresses: Addresses): { status: number; markup: string } {
  const { engineUrl, issuer, controlUrl, adminUrl, appUrl } = addresses
  const isOwn = ownPaths.includes(path.length > 1 ? path.replace(/\/$/, '') : path)
  const title = isOwn ? 'The Rekey engine is running' : 'There is no page at this address'
  const link = (href: string, text: string, hint: string) =>
    html`<li><a href="${href}">${text}</a>: ${hint}</li>`
  const body = html`
<p>${isOwn ? 'This address is for apps: it answers programs in JSON.' : 'The engine answers programs in JSON.'} An app is configured with this issuer:<br><strong>${issuer}</strong></p>
<h2>Pages for you</h2>
<ul>
${appUrl !== undefined && link(appUrl, 'Sample app', 'sign in, recover a password')}
${link(controlUrl, 'Inbox', 'all mails')}
${link(`${controlUrl}/flows`, 'Flows', 'what happened, step by step')}
${link(adminUrl, 'Admin', 'users, apps, policies')}
</ul>
<h2>For programs</h2>
<ul>
${link(`${issuer}/.well-known/openid-configuration`, 'Discovery', 'the endpoints of the issuer')}
${link(`${controlUrl}/openapi/engine.json`, 'OpenAPI', 'the management API')}
</ul>
`
  return {
    status: isOwn ? 200 : 404,
    markup: visitorPage(wordsFor('en'), { base: engineUrl, title, brand: 'Rekey', body }),
  }
}
