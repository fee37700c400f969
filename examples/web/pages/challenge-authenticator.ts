import type { Input } from '@okta/okta-auth-js'
import { type Html, html } from '../html.ts'
import type { Content } from '../layout.ts'
import { codeIn, csrfField, inputField, postForm } from './form.ts'
import { refuse, type StepPage, type View } from './page.ts'

/** Enter the code of a mail or of an authenticator app, or the password if the server has a separate step for it. */
export const challengeAuthenticator: StepPage = {
  step: 'challenge-authenticator',
  path: '/challenge-authenticator',

  render(view) {
    if (asksForPassword(view)) return passwordPage(view)
    return asksForApp(view) ? appPage(view) : mailPage(view)
  },

  submit({ client, field, step, words }) {
    if (asksForPassword({ step })) {
      const password = field('password')
      if (password === '') return refuse('password', words.challenge.noPassword)
      return client.idx.proceed({ password })
    }
    const verificationCode = codeIn(field)
    const { noAppCode, noCode } = words.challenge
    if (verificationCode === '') return refuse('verificationCode', asksForApp({ step }) ? noAppCode : noCode)
    return client.idx.proceed({ verificationCode })
  },
}

const asksForPassword = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some(({ name }) => name === 'password') ?? false

/** Whether the code comes from an authenticator app: nothing is sent, and there is no link. */
const asksForApp = ({ step }: Pick<View, 'step'>) => step?.authenticator?.key === 'google_otp'

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
${view.step?.canResend && sendAgain(view)}
<nav class="links">
${pollEvery(view) !== undefined && html`<a href="${pollPath}" data-poll="${pollEvery(view)}">${words.usedLink}</a>`}
${view.inboxUrl !== undefined && html`<a href="${view.inboxUrl}" target="_blank" rel="noreferrer">${words.inbox}</a>`}
<a href="/login">${view.words.recovery.backToSignIn}</a>
</nav>`,
  }
}

/** A mailed code is refused in the same way where it is wrong and where it has expired: both can be mended by another. */
const withOwnWords = (view: View): View => ({
  ...view,
  messages: view.messages.map((message) =>
    message.key === 'api.authn.error.PASSCODE_INVALID'
      ? { ...message, text: view.words.challenge.wrongOrOld }
      : message,
  ),
})

function appPage(view: View): Content {
  const words = view.words.challenge
  const app = view.step?.authenticator?.displayName || words.anyApp
  return {
    title: words.appTitle,
    badge: 'lock',
    body: html`<p class="lead" id="source">${words.fromApp(app)}</p>
${codeForm(view, 'source')}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
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
<nav class="links">
<a href="/recover-password">${view.words.identify.forgot}</a>
<a href="/login">${view.words.recovery.backToSignIn}</a>
</nav>`,
  }
}
