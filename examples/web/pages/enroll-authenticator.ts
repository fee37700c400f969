import type { NextStep } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import { codeIn, inputField, postForm } from './form.ts'
import { accountLine, newPasswordForm, refusePair } from './new-password.ts'
import { refuse, type StepPage, type View } from './page.ts'
import { asksToSkip, skipForm } from './skip.ts'

/** Set up the chosen authenticator: the first password of a new account, or a key for an app and its first code. */
export const enrollAuthenticator: StepPage = {
  step: 'enroll-authenticator',
  path: '/enroll-authenticator',

  render(view) {
    const words = view.words.enroll
    if (isPassword(view)) {
      return {
        title: words.passwordTitle,
        badge: 'lock',
        script: 'password.js',
        body: html`${accountLine(view)}
${newPasswordForm(view, this.path, 'password')}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
      }
    }
    const key = keyOf(view.step)
    return {
      title: words.title(view.step?.authenticator?.displayName || words.anyName),
      badge: 'lock',
      body: html`<p class="lead" id="source">${key === undefined ? words.sent : words.scan}</p>
${key !== undefined && keyToAdd(view, key)}
${postForm(
  view,
  this.path,
  inputField(view, {
    name: 'verificationCode',
    label: words.code,
    autocomplete: 'one-time-code',
    describedBy: 'source',
    // The focus would scroll a small screen past the QR code.
    first: key === undefined,
    numeric: true,
  }),
)}
${skipForm(view, this.path)}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
    }
  },

  submit({ client, field, step, words }) {
    if (isPassword({ step })) {
      const refusal = refusePair(field, 'password', words)
      return refusal ?? client.idx.proceed({ password: field('password') })
    }
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    const verificationCode = codeIn(field)
    if (verificationCode === '') return refuse('verificationCode', words.enroll.noCode)
    return client.idx.proceed({ verificationCode })
  },
}

const isPassword = ({ step }: Pick<View, 'step'>): boolean => step?.authenticator?.key === 'okta_password'

interface Key {
  readonly secret: string
  readonly image: string | undefined
}

/** The key for an authenticator app; undefined for an authenticator that sends its codes. */
function keyOf(step: NextStep | undefined): Key | undefined {
  const { sharedSecret, qrcode } = step?.authenticator?.contextualData ?? {}
  if (typeof sharedSecret !== 'string') return undefined
  const href: unknown = qrcode?.href
  // Another address would be blocked by the content security policy.
  const image = typeof href === 'string' && href.startsWith('data:image/') ? href : undefined
  return { secret: sharedSecret, image }
}

const keyToAdd = (view: View, { secret, image }: Key): Html => html`
${image !== undefined && html`<img class="qr" src="${image}" alt="${view.words.enroll.qrCode}" width="200" height="200">`}
<p class="hint">${view.words.enroll.noScan}</p>
<p class="key"><code>${groupsOf(secret)}</code></p>`

/** Groups of four, easier to type; without spaces between them, so that the key can be copied. */
const groupsOf = (secret: string): readonly Html[] =>
  (secret.match(/.{1,4}/g) ?? []).map((group) => html`<span>${group}</span><wbr>`)
