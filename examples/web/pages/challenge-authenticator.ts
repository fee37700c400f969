import type { Input } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import type { Content } from '../layout.ts'
import { csrfField, inputField, postForm } from './form.ts'
import { refuse, type StepPage, type View } from './page.ts'

/** Enter the mailed code, or the password if the server has a separate step for it. */
export const challengeAuthenticator: StepPage = {
  step: 'challenge-authenticator',
  path: '/challenge-authenticator',

  render: (view) => (asksForPassword(view) ? passwordPage(view) : codePage(view)),

  submit({ client, field, step, words }) {
    if (asksForPassword({ step })) {
      const password = field('password')
      if (password === '') return refuse('password', words.challenge.noPassword)
      return client.idx.proceed({ password })
    }
    // Copied codes may contain spaces.
    const verificationCode = field('verificationCode').replace(/\s/g, '')
    if (verificationCode === '') return refuse('verificationCode', words.challenge.noCode)
    return client.idx.proceed({ verificationCode })
  },
}

const asksForPassword = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some(({ name }) => name === 'password') ?? false

/** Whether the code has letters. Some servers send longer codes, with a member that the types of the SDK lack. */
const hasLetters = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some((input: Input & { format?: string }) => input.format === 'alphanumeric') ?? false

function codePage(view: View): Content {
  const words = view.words.challenge
  const address = view.step?.authenticator?.profile?.email
  return {
    title: words.title,
    badge: 'mail',
    script: 'challenge.js',
    body: html`<p class="lead" id="sent">${typeof address === 'string' ? words.sentTo(address) : words.sent}</p>
${postForm(
  view,
  challengeAuthenticator.path,
  inputField(view, {
    name: 'verificationCode',
    label: words.code,
    autocomplete: 'one-time-code',
    describedBy: 'sent',
    first: true,
    numeric: !hasLetters(view),
  }),
)}
${view.step?.canResend && sendAgain(view)}
<nav class="links">
${pollEvery(view) !== undefined && html`<a href="${pollPath}" data-poll="${pollEvery(view)}">${words.usedLink}</a>`}
${view.inboxUrl !== undefined && html`<a href="${view.inboxUrl}" target="_blank" rel="noreferrer">${words.inbox}</a>`}
<a href="/login">${view.words.recovery.backToSignIn}</a>
</nav>`,
  }
}

export const resendPath = '/challenge-authenticator/resend'
export const pollPath = '/challenge-authenticator/poll'

/** The resend button. The server decides whether another mail may be sent; the script only shows the countdown. */
const sendAgain = (view: View): Html => html`<form method="post" action="${resendPath}" class="again">
${csrfField(view.csrf)}
<button type="submit" class="secondary" data-wait="${view.resendIn}" aria-describedby="again-hint">${view.words.challenge.again}</button>
<p class="hint" id="again-hint">${view.words.challenge.againHint}</p>
</form>`

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
<nav class="links">
<a href="/recover-password">${view.words.identify.forgot}</a>
<a href="/login">${view.words.recovery.backToSignIn}</a>
</nav>`,
  }
}
