import type { IdxAuthenticator } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import { csrfField } from './form.ts'
import type { Field, View } from './page.ts'

// The only pages that need JavaScript: a browser has no other way to a passkey. Without it, and in a browser without passkeys,
// the page says so, and the links below the form lead on.

/** What the script gives the browser, in the form of the server; see `public/passkey.js`. */
interface PasskeyOptions {
  readonly data: unknown
  readonly known: readonly { readonly id: string; readonly transports?: readonly string[] }[]
}

/** A form that the script fills in. `does`: make a passkey, or use one. */
export function passkeyForm(view: View, action: string, does: 'create' | 'get'): Html {
  const words = view.words.passkey
  const { contextualData } = view.step?.authenticator ?? {}
  const options: PasskeyOptions = {
    data: does === 'create' ? contextualData?.activationData : contextualData?.challengeData,
    known: credentialsIn(view.step?.authenticatorEnrollments ?? []),
  }
  const names = does === 'create' ? created : used
  const errors = view.messages.filter(({ field }) => field === 'passkey')
  const label = does === 'create' ? words.create : words.use
  return html`${errors.map(({ text }) => html`<p class="field-error" id="passkey-error">${text}</p>`)}
<form method="post" action="${action}" data-passkey="${does}" data-options="${JSON.stringify(options)}"
  data-waiting="${words.waiting}" data-refused="${words.refused}" data-known="${words.known}">
${csrfField(view.csrf)}
${names.map((name) => html`<input type="hidden" name="${name}">`)}
<button type="submit" class="primary" hidden>${label}</button>
<p class="message" data-without>${words.without}</p>
<p class="hint" role="status" aria-live="polite" data-status></p>
</form>`
}

const created = ['clientData', 'attestation', 'transports'] as const
const used = ['clientData', 'authenticatorData', 'signatureData'] as const

type Member = (typeof created)[number] | (typeof used)[number]

/** What the script has sent; undefined where it has not run. */
export function passkeyAnswer<Name extends Member>(
  field: Field,
  names: readonly Name[],
): Readonly<Record<Name, string>> | undefined {
  if (names.some((name) => name !== 'transports' && field(name) === '')) return undefined
  return Object.fromEntries(
    names.flatMap((name) => (field(name) === '' ? [] : [[name, field(name)]])),
  ) as Readonly<Record<Name, string>>
}

/** The passkeys that the user has: one of them is asked for, and none of them is made again. */
const credentialsIn = (enrollments: readonly IdxAuthenticator[]): PasskeyOptions['known'] =>
  enrollments.flatMap((one) => {
    const { key, credentialId, transports } = one as IdxAuthenticator & {
      readonly credentialId?: string
      readonly transports?: readonly string[]
    }
    if (key !== 'webauthn' || credentialId === undefined) return []
    return [{ id: credentialId, ...(Array.isArray(transports) && { transports }) }]
  })
