import { type Html, html } from '../base/index.ts'
import type { PageWords } from '../i18n/index.ts'
import { hiddenFields } from './fields.ts'
import { type IdxForm, type IdxResponse, innerOf, membersOf } from './response.ts'

/** The forms that ask whether an app may have what it wants. */
export const isConsent = ({ name }: IdxForm): boolean => name === 'consent' || name === 'granular-consent'

interface Scope {
  readonly name: string
  readonly label?: string
  readonly i18n?: { readonly key?: string }
  readonly desc?: string | null
  /** Whether its box may be unticked; absent: it has none. */
  readonly isOptional?: boolean
}

/** What the app wants: beside the fields of the form, or each a field of it where some may be left out. */
function scopesOf(form: IdxForm): readonly Scope[] {
  const { scopes } = membersOf(form)
  if (Array.isArray(scopes)) return scopes as readonly Scope[]
  const opted = (form.value ?? []).find(({ name }) => name === 'optedScopes')
  return (opted === undefined ? [] : (innerOf(opted) ?? [])).map((field) => ({
    ...(field as Scope),
    isOptional: field.mutable !== false,
  }))
}

/**
 * The list of what the app wants, and two buttons: which one was pressed is the answer, without JavaScript.
 */
export function consentForm(
  form: IdxForm,
  response: IdxResponse,
  words: PageWords,
  { action, token }: { readonly action: string; readonly token: string },
): Html {
  const scopes = scopesOf(form)
  const hasBoxes = scopes.some(({ isOptional }) => isOptional)
  return html`<form method="post" action="${action}">${hiddenFields(form, token)}
<ul class="consent">${scopes.map((scope) => html`<li>${scopeEntry(scope, words, hasBoxes)}</li>`)}</ul>
${appLinks(response, words)}
<button type="submit" class="primary" name="consent" value="true">${words.consent.allow}</button>
<button type="submit" class="secondary" name="consent" value="false">${words.consent.deny}</button></form>`
}

/** Where some may be left out each has a box; what cannot be left out has one that cannot be unticked. */
function scopeEntry(scope: Scope, words: PageWords, hasBoxes: boolean): Html {
  const own: Readonly<Record<string, string>> = words.consent.scopes
  const translated = scope.i18n?.key === undefined ? undefined : own[scope.name]
  const label = translated ?? scope.label ?? scope.name
  const desc = translated === undefined && scope.desc ? html` <small>${scope.desc}</small>` : ''
  if (!hasBoxes) return html`<span>${label}${desc}</span>`
  if (scope.isOptional !== true) {
    return html`<label class="tick"><input type="checkbox" checked disabled><span>${label}${desc}</span></label>`
  }
  return html`<label class="tick"><input type="checkbox" name="optedScopes.${scope.name}" value="true" checked><span>${label}${desc}</span></label>`
}

/** Where the app says more of itself: addresses that it is registered with, of the web alone. */
function appLinks(response: IdxResponse, words: PageWords): Html | false {
  const app = membersOf(response.app?.value)
  const links = (
    [
      ['clientUri', words.consent.website],
      ['termsOfService', words.consent.terms],
      ['privacyPolicy', words.consent.privacy],
    ] as const
  ).flatMap(([member, label]) => {
    const { href } = membersOf(app[member])
    return typeof href === 'string' && /^https?:\/\//.test(href) ? [{ href, label }] : []
  })
  return (
    links.length > 0 &&
    html`<p class="hint">${links.map(({ href, label }, index) => html`${index > 0 && ' · '}<a href="${href}" target="_blank" rel="noopener noreferrer">${label}</a>`)}</p>`
  )
}
