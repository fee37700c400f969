import type { NextStep } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import type { Content } from '../layout.ts'
import { continueLink, inboxLink, sendAgain, switchPath, withOwnWords } from './challenge-authenticator.ts'
import { otherEnrolment } from './challenge-parts.ts'
import { choicesOf } from './choices.ts'
import { backLink, buttonForm, codeIn, inputField, postForm, selectField } from './form.ts'
import { accountLine, newPasswordForm, refusePair } from './new-password.ts'
import { refuse, type StepPage, type View } from './page.ts'
import { passkeyAnswer, passkeyForm } from './passkey.ts'
import { asksToSkip, skipForm } from './skip.ts'

const path = '/enroll-authenticator'
/** Back from the code of a phone to its number. */
export const otherNumberPath = '/enroll-authenticator/number'

/** Set up the chosen authenticator: the first password of a new account, a key for an app, a question, a passkey, codes. */
export const enrollAuthenticator: StepPage = {
  step: 'enroll-authenticator',
  path,

  render(view) {
    const shown = pageFor(view.step)(view)
    if (isPassword(view)) return shown
    return {
      ...shown,
      body: html`${shown.body}
${skipForm(view, path)}
${otherEnrolment(view)}
<nav class="links">${view.step?.canResend === true && inboxLink(view)}${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, words }) {
    if (isPassword({ step })) {
      const refusal = refusePair(field, 'password', words)
      return refusal ?? client.idx.proceed({ password: field('password') })
    }
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    switch (step?.authenticator?.key) {
      case 'security_question': {
        const isOwn = field('which') === 'own'
        const question = field('question').trim()
        const answer = field('answer')
        if (isOwn && question === '') return refuse('question', words.question.noQuestion)
        if (answer.trim() === '') return refuse('answer', words.question.noAnswer)
        return client.idx.proceed(
          isOwn ? { questionKey: 'custom', question, answer } : { questionKey: field('questionKey'), answer },
        )
      }
      case 'webauthn': {
        const answer = passkeyAnswer(field, ['clientData', 'attestation', 'transports'])
        return answer === undefined ? refuse('passkey', words.passkey.none) : client.idx.proceed(answer)
      }
    }
    const verificationCode = codeIn(field)
    if (verificationCode === '') {
      const isList = codesOf(step).length > 0
      return refuse('verificationCode', isList ? words.codes.noCode : words.enroll.noCode)
    }
    return client.idx.proceed({ verificationCode })
  },
}

function pageFor(step: NextStep | undefined): (view: View) => Content {
  switch (step?.authenticator?.key) {
    case 'okta_password':
      return passwordPage
    case 'security_question':
      return questionPage
    case 'webauthn':
      return passkeyPage
    case 'phone_number':
      return phonePage
    case 'okta_email':
      return mailPage
  }
  return codesOf(step).length > 0 ? codesPage : keyPage
}

const isPassword = ({ step }: Pick<View, 'step'>): boolean => step?.authenticator?.key === 'okta_password'

const passwordPage = (view: View): Content => ({
  title: view.words.enroll.passwordTitle,
  badge: 'lock',
  script: 'password.js',
  body: html`${accountLine(view)}
${newPasswordForm(view, path, 'password')}
<nav class="links">${backLink(view)}</nav>`,
})

/** A key for an authenticator app, or a code that was sent. */
function keyPage(view: View): Content {
  const words = view.words.enroll
  const key = keyOf(view.step)
  return {
    title: words.title(view.step?.authenticator?.displayName || words.anyName),
    badge: 'lock',
    ...(view.step?.canResend === true && { script: 'challenge.js' }),
    body: html`<p class="lead" id="source">${key === undefined ? words.sent : words.scan}</p>
${key !== undefined && keyToAdd(view, key)}
${codeField(view, key === undefined)}
${view.step?.canResend === true && sendAgain(view, view.words.challenge.againHint)}`,
  }
}

/** The code of a mail. The page is the same whether the address is new or has an account: only its mail says which. */
function mailPage(view: View): Content {
  const words = view.words.challenge
  const { sent, sentTo, known, usedLink, changeAddress } = view.words.signUp
  const signsUp = view.newAddress !== undefined
  const go = continueLink(view, usedLink, 'secondary')
  return {
    title: words.title,
    badge: 'mail',
    script: 'challenge.js',
    body: html`<p class="lead" id="source">${signsUp ? sentTo(view.newAddress ?? '') : sent}</p>
${codeField(withOwnWords(view), true)}
<p class="hint">${words.lifetime(view.codeLifetime)}${signsUp && html` ${known}`}</p>
${go && html`<p class="again">${go}</p>`}
${view.step?.canResend === true && sendAgain(view, words.againHint)}
${signsUp && html`<p class="other"><a href="/register">${changeAddress}</a></p>`}`,
  }
}

function phonePage(view: View): Content {
  const words = view.words.challenge
  const isCall = view.step?.authenticator?.methods?.[0]?.type === 'voice'
  const number = view.step?.authenticator?.profile?.phoneNumber
  const to = typeof number === 'string' ? number : words.yourPhone
  return {
    title: isCall ? words.callTitle : words.textTitle,
    badge: 'phone',
    script: 'challenge.js',
    body: html`<p class="lead" id="source">${isCall ? words.called(to) : words.texted(to)}</p>
${codeField(view, true)}
${view.step?.canResend === true && sendAgain(view, isCall ? words.callAgainHint : words.textAgainHint)}
${view.otherMethod !== undefined && buttonForm(view, switchPath, view.otherMethod === 'voice' ? words.callInstead : words.textInstead)}
${choicesOf(view.transaction, undefined, 'select-authenticator-enroll').some(({ key }) => key === 'phone_number') && buttonForm(view, otherNumberPath, view.words.phone.otherNumber)}`,
  }
}

/** The field for the first code. The focus would scroll a small screen past a QR code. */
const codeField = (view: View, first: boolean): Html =>
  postForm(
    view,
    path,
    inputField(view, {
      name: 'verificationCode',
      label: view.words.enroll.code,
      autocomplete: 'one-time-code',
      describedBy: 'source',
      first,
      numeric: true,
    }),
  )

/** A question of the list, or one of the user's own: both at once, so that the page needs no script. */
function questionPage(view: View): Content {
  const words = view.words.question
  const isOwn = view.field('which') === 'own'
  const questions: readonly { readonly questionKey: string; readonly question: string }[] =
    view.step?.authenticator?.contextualData?.questions ?? []
  const which = (value: 'list' | 'own', label: string, checked: boolean) => html`<label class="option">
<input type="radio" name="which" value="${value}"${checked && html` checked`}>
<span>${label}</span>
</label>`
  return {
    title: words.title,
    badge: 'lock',
    script: 'password.js',
    body: html`<p class="lead">${words.lead}</p>
${postForm(
  view,
  path,
  html`<fieldset class="either">
<legend class="visually-hidden">${words.legend}</legend>
${which('list', words.fromList, !isOwn)}
<div class="for-list">
${selectField(view, {
  name: 'questionKey',
  label: words.question,
  entries: questions.map(({ questionKey, question }) => ({
    value: questionKey,
    label: question,
  })),
})}
</div>
${which('own', words.own, isOwn)}
<div class="for-own">
${inputField(view, { name: 'question', label: words.ownQuestion, autocomplete: 'off', optional: true, maxLength: 200 })}
</div>
</fieldset>
${inputField(view, { name: 'answer', label: words.answer, type: 'password', autocomplete: 'off', describedBy: 'answer-hint' })}
<p class="hint below-field" id="answer-hint">${words.answerHint}</p>`,
)}`,
  }
}

function passkeyPage(view: View): Content {
  const words = view.words.passkey
  return {
    title: words.enrollTitle,
    badge: 'passkey',
    script: 'passkey.js',
    body: html`<p class="lead">${words.enrollLead}</p>
${passkeyForm(view, path, 'create')}`,
  }
}

/** The recovery codes of an enrolment that has begun: they are shown until one of them is entered, and never again. */
function codesOf(step: NextStep | undefined): readonly string[] {
  const { recoveryCodes } = (step?.authenticator?.contextualData ?? {}) as {
    readonly recoveryCodes?: unknown
  }
  return Array.isArray(recoveryCodes) ? recoveryCodes.filter((code) => typeof code === 'string') : []
}

function codesPage(view: View): Content {
  const words = view.words.codes
  return {
    title: words.title,
    badge: 'key',
    script: 'codes.js',
    body: html`<p class="lead">${words.lead}</p>
<ol class="codes" data-codes>
${codesOf(view.step).map((code) => html`<li><code>${code}</code></li>`)}
</ol>
<div class="codes-buttons">
<button type="button" class="secondary" data-does="copy" data-done="${words.copied}" hidden>${words.copy}</button>
<button type="button" class="secondary" data-does="print" hidden>${words.print}</button>
</div>
<p class="visually-hidden" role="status" aria-live="polite" data-status></p>
${postForm(
  view,
  path,
  html`${inputField(view, {
    name: 'verificationCode',
    label: words.confirm,
    autocomplete: 'off',
    describedBy: 'confirm-hint',
  })}
<p class="hint below-field" id="confirm-hint">${words.confirmHint}</p>`,
)}`,
  }
}

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
