import type { UserClaims } from '@okta/okta-auth-js'
import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'
import { methodsPath } from './methods.ts'

/** The page of an account that is ready: how the user signs in to it from now on, and where to go on. */
export function welcomePage(
  { welcome, home }: Words,
  claims: UserClaims,
  options: { readonly goOn: string; readonly managesMethods: boolean },
): Content {
  const name = claims.preferred_username
  return {
    title: claims.given_name === undefined ? welcome.title : welcome.titleFor(claims.given_name),
    badge: 'done',
    body: html`<p class="lead">${welcome.lead}</p>
${name !== undefined && html`<dl><div><dt>${home.facts.preferred_username ?? ''}</dt><dd>${name}</dd></div></dl>`}
<p><a class="primary" href="${options.goOn}">${options.goOn === '/' ? welcome.home : welcome.goOn}</a></p>
${options.managesMethods && html`<p class="again"><a class="secondary" href="${methodsPath}">${welcome.methods}</a></p>`}`,
  }
}
