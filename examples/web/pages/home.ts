import type { UserClaims } from '@okta/okta-auth-js'
import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'
import { csrfField } from './form.ts'

export const signedOutPage = ({ home }: Words): Content => ({
  title: home.welcome,
  badge: 'lock',
  body: html`<p class="lead">${home.signedOut}</p>
<p><a class="primary" href="/login">${home.signIn}</a></p>`,
})

export const signedInPage = ({ home }: Words, csrf: string, claims: UserClaims): Content => ({
  title: home.greeting(claims.given_name ?? claims.name ?? claims.preferred_username ?? claims.sub),
  body: html`<p class="lead">${home.signedIn}</p>
<dl>
${Object.entries(claims).map(([name, value]) => typeof value !== 'object' && html`<div><dt>${name}</dt><dd>${String(value)}</dd></div>`)}
</dl>
<form method="post" action="/logout">
${csrfField(csrf)}
<button type="submit" class="primary">${home.signOut}</button>
</form>`,
})
