import type { Input } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import type { Content } from '../layout.ts'
import { otherWay } from './challenge-parts.ts'
import { choicesOf } from './choices.ts'
import { backLink, buttonForm, codeIn, csrfField, inputField, postForm } from './form.ts'
import { refuse, type StepPage, type View } from './page.ts'
import { passkeyAnswer, passkeyForm } from './passkey.ts'

/** The kinds of answers that are asked for, each with a page of its own. */
type Kind = 'password' | 'app' | 'phone' | 'question' | 'passkey' | 'codes' | 'mail'

/** Prove an authenticator: a code, the password, the answer to a question, or a passkey. */
export const challengeAuthenticator: StepPage = {
  step: 'challenge-authenticator',
  path: '/challenge-authenticator',

  render: (view) => pages[kindOf(view)](view),

  submit({ client, field, step, words }) {
    const { noAppCode, noCode, noPhoneCode, noRecoveryCode, noPassword, noAnswer } = words.challenge
    switch (kindOf({ step })) {
      case 'password': {
        const password = field('password')
        return password === '' ? refuse('password', noPassword) : client.idx.proceed({ password })
      }
      case 'question': {
        const answer = field('answer')
        return answer.trim() === '' ? refuse('answer', noAnswer) : client.idx.proceed({ answer })
      }
      case 'passkey': {
        const answer = passkeyAnswer(field, ['clientData', 'authenticatorData', 'signatureData'])
        return answer === undefined ? refuse('passkey', words.passkey.none) : client.idx.proceed(answer)
      }
    }
    const verificationCode = codeIn(field)
    const missing = { app: noAppCode, phone: noPhoneCode, codes: noRecoveryCode, mail: noCode }
    const kind = kindOf({ step })
    if (verificationCode === '') {
      return refuse('verificationCode', missing[kind as keyof typeof missing] ?? noCode)
    }
    return client.idx.proceed({ verificationCode })
  },
}

function kindOf({ step }: Pick<View, 'step'>): Kind {
  if (step?.inputs?.some(({ name }) => name === 'password')) return 'password'
  const kinds: Readonly<Record<string, Kind>> = {
    google_otp: 'app',
    phone_number: 'phone',
    security_question: 'question',
    webauthn: 'passkey',
    recovery_codes: 'codes',
  }
  return kinds[step?.authenticator?.key ?? ''] ?? 'mail'
}

const pages: Readonly<Record<Kind, (view: View) => Content>> = {
  password: passwordPage,
  app: appPage,
  phone: phonePage,
  question: questionPage,
  passkey: passkeyPage,
  codes: codesPage,
  mail: mailPage,
}

/** Whether the code has letters. Some servers send longer codes, with a member that the types of the SDK lack. */
const hasLetters = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some((input: Input & { format?: string }) => input.format === 'alphanumeric') ?? false

function mailPage(view: View): Content {
  const words = view.words.challenge
  const address = view.step?.authenticator?.profile?.email
  return {
    title: words.title,
    badge: 'mail',
    script: 'challenge.js',
    body: html`<p class="lead" id="sent">${typeof address === 'string' ? words.sentTo(address) : words.sent}</p>
${codeForm(withOwnWords(view), 'sent')}
<p class="hint">${words.lifetime(view.codeLifetime)}</p>
${view.step?.canResend && sendAgain(view, words.againHint)}
${otherWay(view)}
<nav class="links">
${continueLink(view, words.usedLink)}
${inboxLink(view)}
${backLink(view)}
</nav>`,
  }
}

/** In development the code is in the inbox beside this app. */
export const inboxLink = (view: View): Html | false =>
  view.inboxUrl !== undefined &&
  html`<a href="${view.inboxUrl}" target="_blank" rel="noreferrer">${view.words.challenge.inbox}</a>`

/** A code that was sent is refused in the same way where it is wrong and where it has expired: both can be mended by another. */
export const withOwnWords = (view: View): View => ({
  ...view,
  messages: view.messages.map((message) =>
    message.key === 'api.authn.error.PASSCODE_INVALID'
      ? { ...message, text: view.words.challenge.wrongOrOld }
      : message,
  ),
})

function phonePage(view: View): Content {
  const words = view.words.challenge
  const number = view.step?.authenticator?.profile?.phoneNumber
  const isCall = view.step?.authenticator?.methods?.[0]?.type === 'voice'
  const to = typeof number === 'string' ? number : words.yourPhone
  const other = otherMethodOf(view)
  return {
    title: isCall ? words.callTitle : words.textTitle,
    badge: 'phone',
    script: 'challenge.js',
    body: html`<p class="lead" id="sent">${isCall ? words.called(to) : words.texted(to)}</p>
${codeForm(withOwnWords(view), 'sent')}
${view.step?.canResend && sendAgain(view, isCall ? words.callAgainHint : words.textAgainHint)}
${other !== undefined && buttonForm(view, switchPath, other === 'voice' ? words.callInstead : words.textInstead)}
${otherWay(view)}
<nav class="links">${inboxLink(view)}${backLink(view)}</nav>`,
  }
}

/** The phone that is being asked for, as the choice of the authenticators has it. */
export const phoneChoice = ({ transaction, step }: Pick<View, 'transaction' | 'step'>) => {
  const phones = choicesOf(transaction, undefined, 'select-authenticator-authenticate').filter(
    ({ key }) => key === 'phone_number',
  )
  return phones.find(({ enrollmentId }) => enrollmentId === step?.authenticator?.id) ?? phones[0]
}

/** The way to send the code that was not chosen, if the server offers it for this phone. */
export function otherMethodOf(view: Pick<View, 'transaction' | 'step'>): 'sms' | 'voice' | undefined {
  const present = view.step?.authenticator?.methods?.[0]?.type
  const other = phoneChoice(view)?.methods.find(({ value }) => value !== present)?.value
  return other === 'sms' || other === 'voice' ? other : undefined
}

function appPage(view: View): Content {
  const words = view.words.challenge
  const app = view.step?.authenticator?.displayName || words.anyApp
  return {
    title: words.appTitle,
    badge: 'lock',
    body: html`<p class="lead" id="source">${words.fromApp(app)}</p>
${codeForm(view, 'source')}
${otherWay(view)}
<nav class="links">${backLink(view)}</nav>`,
  }
}

function codesPage(view: View): Content {
  const words = view.words.challenge
  return {
    title: words.codesTitle,
    badge: 'key',
    body: html`<p class="lead" id="source">${words.fromList}</p>
${postForm(
  view,
  challengeAuthenticator.path,
  inputField(view, {
    name: 'verificationCode',
    label: words.recoveryCode,
    autocomplete: 'off',
    describedBy: 'source',
    first: true,
  }),
)}
${otherWay(view)}
<nav class="links">${backLink(view)}</nav>`,
  }
}

function questionPage(view: View): Content {
  const words = view.words.challenge
  const { contextualData, profile } = view.step?.authenticator ?? {}
  const question: unknown = contextualData?.enrolledQuestion?.question ?? profile?.question
  return {
    title: words.questionTitle,
    badge: 'lock',
    script: 'password.js',
    body: html`<p class="lead">${words.questionLead}</p>
${postForm(
  view,
  challengeAuthenticator.path,
  inputField(view, {
    name: 'answer',
    label: typeof question === 'string' ? question : words.answer,
    type: 'password',
    autocomplete: 'off',
    first: true,
  }),
)}
${otherWay(view)}
<nav class="links">${backLink(view)}</nav>`,
  }
}

function passkeyPage(view: View): Content {
  const words = view.words.passkey
  return {
    title: words.verifyTitle,
    badge: 'passkey',
    script: 'passkey.js',
    body: html`<p class="lead">${words.verifyLead}</p>
${passkeyForm(view, challengeAuthenticator.path, 'get')}
${otherWay(view)}
<nav class="links">${backLink(view)}</nav>`,
  }
}

/** The field for the code. `describedBy` is the id of the text that says where the code comes from. */
const codeForm = (view: View, describedBy: string): Html =>
  postForm(
    view,
    challengeAuthenticator.path,
    inputField(view, {
      name: 'verificationCode',
      label: view.words.challenge.code,
      autocomplete: 'one-time-code',
      describedBy,
      first: true,
      numeric: !hasLetters(view),
    }),
  )

export const resendPath = '/challenge-authenticator/resend'
export const switchPath = '/challenge-authenticator/switch'
export const pollPath = '/challenge-authenticator/poll'

/** The resend button. The server decides whether another code may be sent; the script only shows the countdown. */
export const sendAgain = (
  view: View,
  hint: string,
): Html => html`<form method="post" action="${resendPath}" class="again">
${csrfField(view.csrf)}
<button type="submit" class="secondary" data-wait="${view.resendIn}" aria-describedby="again-hint">${view.words.challenge.again}</button>
<p class="hint" id="again-hint">${hint}</p>
</form>`

/** The way on for who has used the link in the mail: the script follows it by itself as soon as it leads on. */
export function continueLink(view: View, label: string, style?: 'secondary'): Html | false {
  const every = pollEvery(view)
  return (
    every !== undefined &&
    html`<a href="${pollPath}" data-poll="${every}"${style !== undefined && html` class="${style}"`}>${label}</a>`
  )
}

/** The polling interval for the mailed link in milliseconds, as the server requests it; undefined if there is no link. */
const pollEvery = (view: View): number | undefined => {
  const action = view.transaction?.availableSteps?.find(({ name }) => name.endsWith('-poll'))
  return action && (action.refresh ?? 4000)
}

function passwordPage(view: View): Content {
  const words = view.words.challenge
  return {
    title: words.passwordTitle,
    badge: 'lock',
    script: 'password.js',
    body: html`${postForm(
      view,
      challengeAuthenticator.path,
      inputField(view, {
        name: 'password',
        label: words.password,
        type: 'password',
        autocomplete: 'current-password',
        first: true,
      }),
    )}
${otherWay(view)}
<nav class="links">
<a href="/recover-password">${view.words.identify.forgot}</a>
${backLink(view)}
</nav>`,
  }
}
