import type { UserClaims } from '@okta/okta-auth-js'
import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'
import { csrfField } from './form.ts'
import { methodsPath } from './methods.ts'

export const signedOutPage = ({ home }: Words): Content => ({
  title: home.welcome,
  badge: 'lock',
  body: html`<p class="lead">${home.signedOut}</p>
<p><a class="primary" href="/login">${home.signIn}</a></p>`,
})

export const signedInPage = (
  words: Words,
  csrf: string,
  claims: UserClaims,
  managesMethods = false,
): Content => {
  const { home } = words
  return {
    title: home.greeting(claims.given_name ?? claims.name ?? claims.preferred_username ?? claims.sub),
    body: html`<p class="lead">${home.signedIn}</p>
<dl>
${Object.entries(claims).map(([name, value]) => typeof value !== 'object' && html`<div><dt>${home.facts[name] ?? name}</dt><dd>${shown(name, value, words)}</dd></div>`)}
</dl>
${managesMethods && html`<p><a class="secondary" href="${methodsPath}">${home.methods}</a></p>`}
<form method="post" action="/logout">
${csrfField(csrf)}
<button type="submit" class="primary">${home.signOut}</button>
</form>`,
  }
}

/** A claim as a reader takes it: times come as seconds since 1970 (OpenID Connect Core 1.0, section 5.1). */
function shown(name: string, value: unknown, { home, shortDate }: Words): string {
  if (typeof value === 'boolean') return value ? home.yes : home.no
  if (name === 'updated_at' && typeof value === 'number') return `${shortDate.format(value * 1000)} UTC`
  return String(value)
}
