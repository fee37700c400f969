import { type FlowFacts, mailsOf, ruleOf, timeIn } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say, span } from './cause.ts'
import { statusOf } from './ended.ts'
import { explainForm } from './form-refused.ts'

/** Explains why the last answer was refused; undefined if it was accepted. */
export function explainRefusal(facts: FlowFacts, last: Recorded | undefined): Explanation | undefined {
  if (last === undefined) return explainLogged(facts)
  const [message = ''] = last.messages
  if (last.status < 400 && message !== 'idx.unknown.user') return undefined
  const at = moment(last.at)
  if (last.reason === 'not on offer') return explainNotOffered(last)
  if (message === 'idx.session.expired') return explainLate(facts, last)
  if (message.startsWith('password.')) {
    return bad(
      'password-refused',
      say`The new password of ${at} does not meet the policy.${hintOf(last)}`,
      'Another password can be sent at once.',
    )
  }
  const question = questionRules[message]
  if (question !== undefined) {
    return bad(
      'question-refused',
      say`What was entered at ${at} for the security question is refused: ${question}.`,
    )
  }
  if (message.startsWith('authfactor.webauthn.')) return explainPasskey(facts, last)
  const form = explainForm(last, message)
  if (form !== undefined) return form
  switch (message) {
    case 'api.authn.error.PASSCODE_INVALID':
    case 'errors.E0000004':
      return explainWrongAnswer(facts, last.at)
    case 'errors.E0000087':
    case 'authfactor.challenge.suspended_factor':
    case 'recoveryCode.invalid':
    case 'authfactor.challenge.soft_token.invalid_passcode':
      return explainWrongFactor(facts, last.at, message)
    case 'errors.E0000109':
    case 'errors.E0000133':
      return bad(
        'text-too-soon',
        say`Another ${message === 'errors.E0000109' ? 'text' : 'call'} was asked for at ${at}, less than 30 seconds after the last one to the same phone: none was sent.`,
        'The app waits for 30 seconds, or offers the other way to get a code.',
      )
    case 'errors.E0000150':
    case 'errors.E0000151':
      return explainTextBudget(facts, last, message === 'errors.E0000150' ? 'text' : 'call')
    case 'api.factors.error.sms.invalid_phone':
      return bad(
        'number-refused',
        say`The phone number entered at ${at} is none, or takes no texts: a number behind an extension takes calls only.`,
        'Send it in the form of E.164, such as +12025550123.',
      )
    case 'phone.number.notServed':
      return bad(
        'number-refused',
        say`The phone number entered at ${at} is not served: its country is not among those of telephony.countries, it is of premium rate or the like, or the phone was removed.`,
        'See telephony.countries.',
      )
    case 'tagsNotAllowed':
      return bad('question-refused', say`The security question or answer of ${at} has HTML tags.`)
    case 'oktaVerify.notSent':
      return bad(
        'authenticator-unusable',
        say`Okta Verify was chosen at ${at}: it works with Okta alone, so no link was sent.`,
        'Take okta_verify out of the policies of the type MFA_ENROLL.',
      )
    case 'security.access_denied':
      return bad(
        'access-denied',
        say`Access was denied at ${at}, after the proof: by the status of the user, or by a rule of the policies.`,
        'See the rules of the policies of the types ACCESS_POLICY and OKTA_SIGN_ON.',
      )
    case 'authfactor.challenge.soft_token.used_passcode':
      return bad(
        'code-wrong',
        say`The code entered at ${at} was used before: each code of an authenticator app is good once.`,
        'The user waits for the next code.',
      )
    case 'tooManyRequests':
      return explainBudget(facts, last)
    case 'E0000047':
      return last.reason?.includes('requested by a test') ? failure(last) : requests(last)
    case 'oie.selfservice.reset.password.not.allowed':
      return bad(
        'recovery-off',
        say`A recovery was refused at ${at}: the policy has no authenticator for it.`,
        'See policies.recovery.authenticators.',
      )
    case 'oie.selfservice.user.unlock.not.allowed':
      return bad(
        'unlock-off',
        say`An unlock was refused at ${at}, after the right code: the password policy of the user does not allow it, though another one offers it.`,
        'See selfServiceUnlock in the rules of the policies of the type PASSWORD, and policies.password.recovery.unlock.',
      )
    case 'oie.selfservice.unlock_user.challenge.failed.permissions':
      return bad(
        'factor-missing',
        say`An unlock was refused at ${at}: the policy asks for a second proof, and the user has no authenticator for it.`,
        'An administrator unlocks the account, or resets the authenticators of the user so that others can be enrolled.',
      )
    case 'oie.selfservice.unlock_user.failed.message':
      return bad(
        'person-not-ready',
        say`An unlock was refused at ${at}, after the right code: the account is not locked out any more, and does not sign in either.`,
        'See the status of the user.',
      )
    case 'idx.error.user.not.assigned.to.app':
      return bad(
        'person-not-assigned',
        say`The user was authenticated at ${at}, but is not assigned to ${facts.timeline.clientId}.`,
        'Add the user to one of the groups of the app.',
      )
    case 'idx.unknown.user':
      return bad(
        'person-unknown',
        say`There is no user with the name that was entered at ${at}, and the policy reveals it (revealUnknown).`,
      )
    case 'model.validation.field.blank':
      return bad(
        'answer-incomplete',
        say`The request at ${at} lacks a required field.`,
        'Compare the request with the fields of the remediation.',
      )
    case 'E0000020':
    case 'E0000003':
      return bad('request-malformed', say`The request at ${at} is malformed: a field has the wrong type.`)
    case 'E0000009':
      return failure(last)
  }
  return bad(
    'engine-failed',
    say`The engine answered ${last.status} (${message || 'no message'}) at ${at}.`,
    'See the log of the engine.',
  )
}

const hintOf = ({ hint }: Recorded): string =>
  hint === undefined ? '' : ` ${hint.replace(/^Password requirements: /, 'Required: ')}`

const failure = ({ at, status }: Recorded): Explanation =>
  bad('failure-asked-for', say`The answer ${status} at ${moment(at)} was requested with POST /faults.`)

const requests = ({ at }: Recorded): Explanation =>
  bad(
    'requests-spent',
    say`Too many requests: the one at ${moment(at)} was refused.`,
    'See limits.requests and limits.preset.',
  )

function explainNotOffered({ path, at, stageBefore, offered }: Recorded): Explanation {
  const forms = offered.length > 0 ? offered.join(', ') : 'nothing'
  return bad(
    'step-not-on-offer',
    say`The step ${path.split('/idp/idx/')[1] ?? path} was sent at ${moment(at)}, when the transaction was at the stage “${stageBefore ?? ''}” and offered ${forms}.`,
    'Send one of the forms of the latest response, to its href.',
  )
}

/** Explains a request after the transaction was closed or had expired. */
function explainLate({ timeline, moves }: FlowFacts, { at }: Recorded): Explanation {
  const expiresAt = timeIn(timeline.expiresAt)
  const began = timeIn(timeline.createdAt)
  const moved = moves
    .filter((move) => move.at >= began && move.at <= at)
    .reduce((sum, { byMs }) => sum + byMs, 0)
  return bad(
    'transaction-expired',
    say`The transaction expired at ${moment(expiresAt)}, ${span(expiresAt - began)} after it began; the next request came at ${moment(at)}.${movedWords(moved)}`,
    'Start again with interact.',
  )
}

const movedWords = (ms: number): string =>
  ms === 0 ? '' : ` The clock was moved ${ms > 0 ? 'ahead' : 'back'} by ${span(Math.abs(ms))} in between.`

/** Why a security question or its answer is refused, by the message. */
const questionRules: Readonly<Record<string, string>> = {
  'securityQuestion.answer.tooShort.arg': 'the answer is too short',
  'securityQuestion.answer.tooLong.arg': 'the answer is too long',
  'securityQuestion.answer.inQuestion': 'the answer is part of the question, or the question of the answer',
  'securityQuestion.answer.inUsername': 'the answer is part of the username',
  'securityQuestion.question.tooLong.arg': 'the question is too long',
  'securityQuestion.question.unreadable': 'the question has no letters or numbers that can be read',
}

/** The budgets of wrong codes and answers of an authenticator that the user has enrolled. */
const factorBudgets: readonly string[] = [
  'otp-per-day',
  'otp-per-day-by-source',
  'otp-until-success',
  'otp-until-success-by-source',
]

const lastFailure = ({ timeline }: FlowFacts) =>
  timeline.events.findLast(
    ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
  )

const countedIn = (facts: FlowFacts): string => {
  const guesses = lastFailure(facts)?.debugContext.debugData['guesses-per-transaction']
  return guesses === undefined ? '' : ` It is wrong answer ${guesses}.`
}

/** Explains a wrong answer to what the user has enrolled, by the message. */
function explainWrongFactor(facts: FlowFacts, answeredAt: number, message: string): Explanation {
  const at = moment(answeredAt)
  const isSpent = factorBudgets.includes(ruleOf(lastFailure(facts)) ?? '')
  if (isSpent || message === 'authfactor.challenge.suspended_factor') {
    return bad(
      'guesses-of-the-day-spent',
      say`Too many wrong codes or answers were entered for this authenticator of the account, so even a right one is refused, including the one at ${at}.`,
      'See limits.otpPerDay and limits.otpUntilSuccess; an administrator resets the factors of the user (`rekey user factors`).',
    )
  }
  const counted = countedIn(facts)
  if (message === 'recoveryCode.invalid') {
    return bad(
      'recovery-code-wrong',
      say`The recovery code entered at ${at} is none of those that the user has left: each is good once, and a new set ends the old one.${counted}`,
    )
  }
  if (message === 'errors.E0000087') {
    return bad(
      'answer-wrong',
      say`The answer entered at ${at} is not that of the security question.${counted}`,
      'Case, blanks around it and accents in another form make no difference.',
    )
  }
  return bad(
    'code-wrong',
    say`The code entered at ${at} is none that the authenticator app of the user shows.${counted}`,
    'Each code is good for a minute: compare the clock of the phone, and that of the engine if a test has moved it.',
  )
}

/** The budgets of texts by their rule in the log, with the setting of each. */
const textBudgets: Readonly<Record<string, readonly [words: string, setting: string]>> = {
  'texts-per-user': ['for this user', 'limits.textsPerUser'],
  'texts-per-number': ['to this number', 'limits.textsPerNumber'],
  'texts-per-range': ['to numbers like this one', 'limits.textsPerRange'],
  'texts-per-country': ['to its country', 'limits.textsPerCountry'],
  'texts-per-day': ['today by all users together', 'limits.textsPerDay'],
}

function explainTextBudget({ timeline }: FlowFacts, { at }: Recorded, what: string): Explanation {
  const logged = timeline.events.findLast(
    ({ eventType }) => eventType === 'system.operation.rate_limit.violation',
  )
  const rule = ruleOf(logged)?.replace(/-by-source$/, '')
  const [words, setting] = textBudgets[rule ?? ''] ?? [
    'for this user, number, range of numbers or country',
    'limits.textsPerUser and the limits beside it',
  ]
  return bad(
    'texts-spent',
    say`Too many texts and calls were requested ${words}: no ${what} was sent at ${moment(at)}.`,
    `See ${setting}; in tests, move the clock.`,
  )
}

/** Why a passkey was refused, by the rule in the log: browsers and visitors get one message for all of it. */
const passkeyRules: Readonly<Record<string, readonly [words: string, advice: string]>> = {
  'passkey-origin': [
    'comes from a page that may not use passkeys of this installation',
    'Allowed are the origins of the engine, of the app’s redirect URIs below webauthn.rpId, of trusted origins, and webauthn.nativeOrigins.',
  ],
  'passkey-expired': ['came too late', 'Choose the passkey again.'],
  'passkey-taken': ['has an id that is enrolled already', 'Use it, or make another one.'],
  'passkey-syncable': [
    'may be copied to other devices, which a setting of the authenticator forbids',
    'See allowSyncablePasskeys.',
  ],
}

function explainPasskey({ timeline }: FlowFacts, { at }: Recorded): Explanation {
  const failure = timeline.events.findLast(
    ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
  )
  const [words, advice] = passkeyRules[ruleOf(failure) ?? ''] ?? [
    'does not fit: another challenge, another domain (webauthn.rpId), a counter that did not rise, no user verification where it is required, or the key of another user',
    'Each answer fits one page: after a refusal the page has another challenge.',
  ]
  return bad('passkey-refused', say`The passkey of ${moment(at)} ${words}.`, advice)
}

function explainWrongAnswer(facts: FlowFacts, answeredAt: number): Explanation {
  const failure = facts.timeline.events.findLast(
    ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
  )
  const rule = ruleOf(failure)
  const guesses = failure?.debugContext.debugData['guesses-per-transaction']
  const counted = guesses === undefined ? '' : ` It is wrong answer ${guesses}.`
  const at = moment(answeredAt)
  const status = statusOf(rule)
  if (status !== undefined) {
    return bad(
      status.cause,
      say`The account ${status.words}, so every password is wrong, including the one at ${at}.`,
    )
  }
  switch (rule) {
    case 'lockout':
      return bad(
        'person-locked',
        say`Too many wrong passwords in a row were entered for this account: it is locked, so every password is wrong, including the one at ${at}.`,
        'Unlock it, or wait until the lock ends.',
      )
    case 'code-expired':
      return explainExpired(facts, answeredAt)
    case 'nobody':
      return bad(
        'person-unknown',
        say`There is no user with the name that was entered, so every answer is wrong, including the one at ${at}.`,
        'This is not revealed to the browser. Check that the user exists in this database.',
      )
    case 'codes-per-day':
    case 'codes-until-success':
      return bad(
        'guesses-of-the-day-spent',
        say`Too many wrong codes were entered for this account, so all short codes are refused, including the one at ${at}.`,
        'The next mail has a long code, which is accepted.',
      )
    case 'passwords-per-hour':
    case 'passwords-per-hour-by-source':
    case 'passwords-by-name':
      return bad(
        'guesses-of-the-day-spent',
        say`Too many wrong passwords were entered for this account or by this source, so all passwords are refused for an hour, including the one at ${at}.`,
        'A recovery resets the limit.',
      )
    case 'wrong-password':
      return bad('password-wrong', say`The password at ${at} is wrong.${counted}`)
  }
  const newest = sentCode(facts, answeredAt)
  const what = { email: 'mail', sms: 'text message', voice: 'call' }[newest?.channel ?? 'email']
  return bad(
    'code-wrong',
    say`The code entered at ${at} is not that of the newest ${what}.${counted}`,
    `A new ${what} replaces the code: only the newest one works.`,
  )
}

function explainExpired(facts: FlowFacts, answeredAt: number): Explanation {
  const mail = sentCode(facts, answeredAt)
  if (mail?.codeEndsAt === undefined)
    return bad('code-expired', say`The code had expired when it was entered at ${moment(answeredAt)}.`)
  const moved = facts.moves
    .filter((move) => move.at >= mail.queuedAt && move.at <= answeredAt)
    .reduce((sum, { byMs }) => sum + byMs, 0)
  return bad(
    'code-expired',
    say`The code expired at ${moment(mail.codeEndsAt)}, ${span(facts.codeLifetimeMs)} after it was ${mail.channel === 'email' ? 'mailed' : 'sent'}; it was entered at ${moment(answeredAt)}.${movedWords(moved)}`,
    `The user requests another ${{ email: 'mail', sms: 'text', voice: 'call' }[mail.channel]} on the same page.`,
  )
}

/** The newest code that was sent before a moment. */
const sentCode = (facts: FlowFacts, at: number) =>
  mailsOf(facts).findLast(({ codeEndsAt, queuedAt }) => codeEndsAt !== undefined && queuedAt <= at)

/** Explains a rate limit that the response reveals. It is logged once per window; later requests are known by step. */
function explainBudget({ timeline }: FlowFacts, last: Recorded): Explanation {
  const logged = timeline.events.findLast(
    ({ eventType }) => eventType === 'system.operation.rate_limit.violation',
  )
  const mails = last.step === 'resend' || last.step === 'select-authenticator-authenticate'
  const { limit } = logged?.debugContext.debugData ?? {}
  const at = moment(last.at)
  if (mails) {
    return bad(
      'mails-spent',
      say`Too many mails were requested for this user${limit === undefined ? '' : ` (the limit is ${limit})`}: none was sent at ${at}.`,
      'See limits.mailsPerRecipient; in tests, move the clock.',
    )
  }
  return bad(
    'address-spent',
    say`Too many wrong answers came from this network address: the one at ${at} was refused unchecked.`,
    'See limits.sprayPerAddressMinute and the limits beside it.',
  )
}

/** Explains by the log alone, if no exchange was recorded, as after a restart. */
function explainLogged(facts: FlowFacts): Explanation | undefined {
  const last = facts.timeline.events.findLast(({ eventType }) => eventType === 'user.authentication.verify')
  if (last?.outcome.result !== 'FAILURE') return undefined
  return explainWrongAnswer(facts, timeIn(last.published))
}
