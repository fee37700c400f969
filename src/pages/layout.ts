import { type Html, html } from '../base/index.ts'
import { fill, type PageWords } from '../i18n/index.ts'
import { type Asked, sentence } from './fields.ts'
import { type Icon, iconOf } from './icons.ts'
import { codesList, keyPicture, passwordRules } from './partials.ts'
import { currentOf, type IdxForm, type IdxResponse, membersOf } from './response.ts'

/** What a page says around its form: by the name of the form and what it asks for, never by what it is of. */
export interface Layout {
  readonly title: string
  readonly icon?: Icon
  readonly lead?: Html
  readonly button: string
  readonly asked: Asked
  /** What stands between the lead and the fields. */
  readonly before?: Html | false
  /** What stands between the fields and the button. */
  readonly rules?: Html | false
}

type LayoutOf = (response: IdxResponse, words: PageWords) => Layout

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The address or number that a code went to, masked, as the response has it. */
function sentTo(response: IdxResponse): string | undefined {
  const { profile = {} } = currentOf(response)
  return text(profile.phoneNumber) ?? text(profile.email)
}

const keyOf = (response: IdxResponse): string => currentOf(response).key ?? ''
const methodOf = (response: IdxResponse): string => currentOf(response).methods?.[0]?.type ?? ''
const dataOf = (response: IdxResponse) => currentOf(response).contextualData ?? {}

const code = (key: string, words: PageWords, label = words.code.label): Asked => ({
  key,
  isCode: true,
  labels: { 'credentials.passcode': label },
})

/**
 * Asking for the code that was sent, or for what else an authenticator asks for. The same for a challenge and
 * an enrolment.
 */
const verifying: Readonly<Record<string, LayoutOf>> = {
  okta_email(response, words) {
    const to = sentTo(response)
    const { mailTitle, mailTo, mail, button } = words.code
    return {
      title: mailTitle,
      icon: 'mail',
      lead: to === undefined ? html`${mail}` : sentence(mailTo, { to }),
      button,
      asked: code('okta_email', words),
    }
  },
  phone_number(response, words) {
    const to = sentTo(response)
    const isCall = methodOf(response) === 'voice'
    const { textTitle, textTo, callTitle, callTo, button } = words.code
    const plain = isCall ? words.code.call : words.code.text
    return {
      title: isCall ? callTitle : textTitle,
      icon: isCall ? 'call' : 'text',
      lead: to === undefined ? html`${plain}` : sentence(isCall ? callTo : textTo, { to }),
      button,
      asked: code('phone_number', words),
    }
  },
  google_otp: (_, words) => ({
    title: words.code.appTitle,
    icon: 'app',
    lead: html`${words.code.appLead}`,
    button: words.code.button,
    asked: code('google_otp', words),
  }),
  recovery_codes: (_, words) => ({
    title: words.code.savedTitle,
    icon: 'codes',
    lead: html`${words.code.savedLead}`,
    button: words.code.button,
    asked: code('recovery_codes', words, words.code.saved),
  }),
  okta_password: (_, words) => ({
    title: words.passwordChallenge.title,
    icon: 'lock',
    button: words.code.button,
    asked: { key: 'okta_password', labels: { 'credentials.passcode': words.signIn.password } },
  }),
  security_question(response, words) {
    const { question } = membersOf(dataOf(response).enrolledQuestion)
    return {
      title: words.question.title,
      icon: 'question',
      button: words.code.button,
      asked: {
        key: 'security_question',
        labels: { 'credentials.answer': text(question) ?? words.question.answer },
      },
    }
  },
  webauthn: (_, words) => ({
    title: words.passkey.title,
    icon: 'passkey',
    lead: html`${words.passkey.lead}`,
    button: words.passkey.use,
    asked: { key: 'webauthn' },
  }),
}

const enrolling: Readonly<Record<string, LayoutOf>> = {
  google_otp: (response, words) => ({
    title: words.app.title,
    icon: 'app',
    lead: html`${words.app.scan}`,
    button: words.code.button,
    asked: code('google_otp', words),
    before: keyPicture(dataOf(response), words),
  }),
  recovery_codes: (response, words) => ({
    title: words.codes.title,
    icon: 'codes',
    lead: html`${words.codes.lead}`,
    button: words.code.button,
    asked: {
      ...code('recovery_codes', words, words.codes.confirm),
      hints: { 'credentials.passcode': words.codes.hint },
    },
    before: codesList(dataOf(response)),
  }),
  security_question: (_, words) => ({
    title: words.question.enrollTitle,
    icon: 'question',
    lead: html`${words.question.enrollLead}`,
    button: words.code.button,
    asked: {
      key: 'security_question',
      labels: {
        'credentials.questionKey': words.question.question,
        'credentials.question': words.question.ownQuestion,
        'credentials.answer': words.question.answer,
      },
    },
  }),
  webauthn: (_, words) => ({
    title: words.passkey.enrollTitle,
    icon: 'passkey',
    lead: html`${words.passkey.enrollLead}`,
    button: words.passkey.create,
    asked: { key: 'webauthn' },
  }),
  okta_password: (response, words) =>
    newPassword(response, words, { title: words.newPassword.firstTitle, isFirst: true }),
  okta_email: (response, words) => ({
    ...challengeLayout(response, words),
    lead: html`${words.code.mailLead}`,
  }),
  phone_number: (response, words) => {
    const isCall = methodOf(response) === 'voice'
    const layout = challengeLayout(response, words)
    return sentTo(response) === undefined
      ? { ...layout, lead: html`${isCall ? words.code.callTitle : words.code.textTitle}` }
      : layout
  },
}

/** An authenticator that no page is known of: its form describes itself. */
const other: LayoutOf = (response, words) => {
  const key = keyOf(response)
  const names: Readonly<Record<string, string>> = words.methods
  return {
    title: names[key] ?? currentOf(response).displayName ?? words.select.title,
    icon: iconOf(key),
    button: words.code.button,
    asked: { key, isCode: true },
  }
}

const challengeLayout: LayoutOf = (response, words) => (verifying[keyOf(response)] ?? other)(response, words)

function newPassword(
  response: IdxResponse,
  words: PageWords,
  {
    title,
    lead,
    isFirst = false,
  }: { readonly title: string; readonly lead?: string; readonly isFirst?: boolean },
): Layout {
  const { label, first, revoke, button } = words.newPassword
  return {
    title,
    icon: 'lock',
    ...(lead !== undefined && { lead: html`${lead}` }),
    button,
    asked: {
      key: 'okta_password',
      isNew: true,
      labels: { 'credentials.passcode': isFirst ? first : label, 'credentials.revokeSessions': revoke },
    },
    rules: passwordRules(currentOf(response).settings, words),
  }
}

const consentLayout: LayoutOf = (response, words) => {
  const app = response.app?.value.label ?? ''
  const { title, lead, allow } = words.consent
  return {
    title: title.replace('${app}', () => app),
    icon: 'shield',
    lead: sentence(lead, { app }),
    button: allow,
    asked: { key: '' },
  }
}

const layouts: Readonly<Record<string, LayoutOf>> = {
  identify: (response, words) => {
    const { title, username, password, stay, button } = words.signIn
    const fields = response.remediation?.value.find(({ name }) => name === 'identify')?.value ?? []
    const app = response.app?.value.label
    return {
      title,
      ...(app !== undefined && { lead: sentence(words.toApp, { app }) }),
      button: fields.some(({ name }) => name === 'credentials') ? button : words.next,
      asked: {
        key: 'okta_password',
        hasAutofill: response.webauthnAutofillUIChallenge !== undefined,
        labels: { identifier: username, 'credentials.passcode': password, rememberMe: stay },
      },
    }
  },
  'identify-recovery': (_, words) => ({
    title: words.recovery.title,
    icon: 'key',
    lead: html`${words.recovery.lead}`,
    button: words.next,
    asked: { key: '', labels: { identifier: words.recovery.username } },
  }),
  'select-authenticator-unlock-account': (_, words) => ({
    title: words.unlock.title,
    icon: 'lock',
    lead: html`${words.unlock.lead}`,
    button: words.next,
    asked: { key: '', labels: { identifier: words.recovery.username } },
  }),
  'select-authenticator-authenticate': (_, words) => ({
    title: words.select.title,
    icon: 'shield',
    lead: html`${words.select.lead}`,
    button: words.next,
    asked: { key: '' },
  }),
  'select-authenticator-enroll': (_, words) => ({
    title: words.enrollSelect.title,
    icon: 'shield',
    lead: html`${words.enrollSelect.lead}`,
    button: words.next,
    asked: { key: '' },
  }),
  'authenticator-verification-data': (response, words) => ({
    title: words.send.title,
    icon: iconOf(keyOf(response)),
    lead: html`${words.send.lead}`,
    button: words.send.button,
    asked: { key: keyOf(response), labels: { 'authenticator.methodType': words.send.lead } },
  }),
  'authenticator-enrollment-data': (response, words) => ({
    title: words.send.phoneTitle,
    icon: iconOf(keyOf(response)),
    lead: html`${words.send.phoneLead}`,
    button: words.send.button,
    asked: {
      key: keyOf(response),
      labels: {
        'authenticator.phoneNumber': words.send.number,
        'authenticator.methodType': words.send.lead,
      },
      hints: { 'authenticator.phoneNumber': words.send.numberHint },
    },
  }),
  'challenge-authenticator': challengeLayout,
  'enroll-authenticator': (response, words) => (enrolling[keyOf(response)] ?? other)(response, words),
  'reset-authenticator': (response, words) =>
    newPassword(response, words, { title: words.newPassword.title }),
  'reenroll-authenticator': (response, words) =>
    newPassword(response, words, { title: words.newPassword.title, lead: words.newPassword.expired }),
  'reenroll-authenticator-warning': (response, words) =>
    newPassword(response, words, { title: words.newPassword.soonTitle, lead: words.newPassword.soon }),
  'enroll-profile': (response, words) => {
    const isNew = (response.remediation?.value ?? []).some(({ href }) => href.endsWith('/enroll/new'))
    const { title, button, updateTitle, updateLead } = words.signUp
    return {
      title: isNew ? title : updateTitle,
      ...(isNew ? {} : { icon: 'user' as const, lead: html`${updateLead}` }),
      button: isNew ? button : words.next,
      asked: {
        key: 'okta_password',
        isNew: true,
        labels: { 'credentials.passcode': words.newPassword.first },
      },
      rules: isNew && passwordRules(currentOf(response).settings, words),
    }
  },
  consent: consentLayout,
  'granular-consent': consentLayout,
  'request-activation-email': (_, words) => ({
    title: words.activation.title,
    icon: 'mail',
    button: words.activation.button,
    asked: { key: '' },
  }),
  'enroll-poll': (response, words) => ({
    title: words.elsewhere.title,
    icon: 'phone',
    lead: html`${words.elsewhere.lead}`,
    button: words.checkAgain,
    asked: { key: keyOf(response) },
    before: keyPicture(dataOf(response), words),
  }),
  'enrollment-channel-data': (response, words) => ({
    title: words.elsewhere.title,
    icon: 'phone',
    button: words.next,
    asked: { key: keyOf(response), labels: { phoneNumber: words.send.number } },
  }),
}

/** How a form is shown that is not the first one of its page. */
export const layoutOf = (form: IdxForm, response: IdxResponse, words: PageWords): Layout =>
  (
    layouts[form.name] ??
    ((): Layout => ({
      title: fill(words.enrollTitle, { method: currentOf(response).displayName ?? form.name }),
      icon: 'shield',
      button: words.next,
      asked: { key: keyOf(response), labels: { 'authenticator.channel': words.elsewhere.channel } },
    }))
  )(response, words)

/** The words on the button of a form without fields. */
export function buttonOf({ name }: IdxForm, response: IdxResponse, words: PageWords): string {
  const isCall = methodOf(response) === 'voice'
  const labels: Readonly<Record<string, string>> = {
    recover: words.signIn.forgot,
    'unlock-account': words.signIn.unlock,
    'select-enroll-profile': words.signIn.signUp,
    'select-identify': words.backToSignIn,
    'launch-passkeys-authenticator': words.signIn.passkey,
    skip: words.skip,
    resend: isCall ? words.code.callAgain : words.code.again,
    cancel: words.backToSignIn,
    'enroll-poll': words.checkAgain,
    'select-authenticator-authenticate': words.otherWays,
    'select-authenticator-enroll': words.otherWaysEnroll,
    'select-enrollment-channel': words.elsewhere.channel,
  }
  return labels[name] ?? name
}
