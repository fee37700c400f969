import { intents, type Stage } from '../../../flow/index.ts'
import { type FlowFacts, type MailFacts, mailsOf, timeIn } from '../facts.ts'
import { bad, type Explanation, moment, type Sentence, say, span } from './cause.ts'

/** Explains what an open transaction waits for, and what delays it. */
export function explainWaiting(facts: FlowFacts): Explanation {
  const mails = mailsOf(facts)
  const mail = mails.findLast(({ codeEndsAt }) => codeEndsAt !== undefined)
  // A mailbox that is proven is not what the challenge asks for: another authenticator is.
  const isMailProven = facts.timeline.proofs.includes('okta_email')
  const isMailed = mail?.channel === 'email'
  if (mail !== undefined && !isMailed && ['verify', 'enroll'].includes(currentStage(facts) ?? '')) {
    return explainText(facts, mail)
  }
  // A sign-up begins with the enrolment of the mailbox.
  const isSignUp = facts.timeline.intent === 'registration' && currentStage(facts) === 'enroll'
  const notice = isSignUp && mails.findLast(({ template }) => template === 'RegistrationTaken')
  if (notice) return explainTaken(notice)
  if (mail !== undefined && isMailed && !isMailProven && (isSignUp || currentStage(facts) === 'verify'))
    return explainMail(facts, mail)
  return { cause: 'waiting', tone: 'waiting', sentence: waitingSentence(facts) }
}

/** The stage after the last exchange; if none was recorded, derived from the transaction as far as that can be done. */
function currentStage({ exchanges, timeline }: FlowFacts): string | undefined {
  const recorded = exchanges.findLast(({ stageAfter }) => stageAfter !== undefined)?.stageAfter
  if (recorded !== undefined) return recorded
  if (timeline.identifier === null) return intents[timeline.intent].firstStage
  if (timeline.proofs.length === 0) return 'verify'
  // A sign-in may ask for another factor, an enrolment or a new password: the transaction alone does not say which.
  return timeline.intent === 'recovery' ? 'reset' : undefined
}

type Open = Exclude<Stage, 'recovered' | 'unlocked' | 'granted' | 'closed'>

/** What is asked for at each stage; a new stage does not compile without one. */
const asked: Readonly<Record<Open, string>> = {
  identify: 'the username',
  'identify-recovery': 'the username for the recovery',
  'identify-unlock': 'the username of the locked account, and how it is proven',
  'enroll-profile': 'the profile of a new user',
  'request-activation': 'another activation mail to be asked for: the link had expired',
  select: 'the choice of an authenticator',
  'verify-data': 'the choice of how the code is sent',
  verify: 'the answer to the challenge',
  reset: 'a new password',
  'select-enroll': 'the choice of an authenticator to enrol',
  'enroll-data': 'the details of the authenticator to enrol',
  enroll: 'the first code or answer of what is enrolled',
  reenroll: 'a new password that replaces the expired one',
  'reenroll-warning': 'a new password in place of the one that expires soon, or no',
  'enroll-profile-update': 'the attributes that the profile does not have yet',
  consent: 'whether the app may have what it asks for',
}

function waitingSentence(facts: FlowFacts): Sentence {
  const since = moment(facts.exchanges.at(-1)?.at ?? timeIn(facts.timeline.updatedAt))
  const stage = currentStage(facts)
  const what = Object.entries(asked).find(([name]) => name === stage)?.[1] ?? 'the next step'
  return say`The transaction has been waiting for ${what} since ${since}.`
}

/** Explains a sign-up that no code can end. The browser sees no difference, so only the inspector gives the reason. */
const explainTaken = ({ queuedAt }: MailFacts): Explanation =>
  bad(
    'address-taken',
    say`A user has this address already, so at ${moment(queuedAt)} a notice without a code was queued for that user: no code is right.`,
    'The browser sees no difference, so that visitors cannot find out who has an account. Sign up with another address.',
  )

/** Explains a transaction that waits for a mailed code: whether the mail was sent and is still valid. */
function explainMail(facts: FlowFacts, mail: MailFacts): Explanation {
  const queued = moment(mail.queuedAt)
  const endsAt = mail.codeEndsAt ?? mail.queuedAt
  if (mail.isWithoutRecipient) return explainUnsentMail(facts, mail)
  if (mail.state === 'dead' || mail.state === 'expired') {
    const how = mail.state === 'dead' ? 'was refused permanently' : 'could not be delivered in time'
    return bad(
      'mail-undelivered',
      say`The mail queued at ${queued} ${how} after ${tries(mail)}${because(mail)}.`,
      'Fix the mail server (mail.url), then request another mail.',
    )
  }
  if (mail.state === 'waiting' && mail.error !== undefined) {
    return bad(
      'mail-undelivered',
      say`The mail queued at ${queued} is in the outbox: the mail server did not accept it after ${tries(mail)}${because(mail)}.`,
      'Delivery is retried automatically until the code expires.',
    )
  }
  if (facts.now >= endsAt) {
    return bad(
      'code-expired',
      say`The code expired at ${moment(endsAt)}, ${span(facts.codeLifetimeMs)} after it was mailed; it was not entered.`,
      'The user requests another mail on the same page.',
    )
  }
  const opened = facts.exchanges.findLast(({ endpoint, reason }) => endpoint === 'link' && reason === 'alive')
  if (opened !== undefined && opened.at >= mail.queuedAt) {
    const where = opened.browser === undefined ? '' : ` (${opened.browser})`
    return {
      cause: 'link-in-other-browser',
      tone: 'waiting',
      sentence: say`The link was opened at ${moment(opened.at)} in another browser${where} than the one that requested it, which only shows the code; the code was not entered.`,
      advice: `The user enters the code in the first browser; it is valid for ${span(endsAt - facts.now)} more.`,
    }
  }
  return {
    cause: 'waiting',
    tone: 'waiting',
    sentence: say`The transaction is waiting for the code or the link that was mailed at ${queued}; both are valid until ${moment(endsAt)}.`,
  }
}

/** Explains a transaction that waits for a code that was sent to a phone. */
function explainText(facts: FlowFacts, text: MailFacts): Explanation {
  const what = text.channel === 'sms' ? 'text' : 'call'
  const queued = moment(text.queuedAt)
  const endsAt = text.codeEndsAt ?? text.queuedAt
  if (text.isWithoutRecipient) {
    return bad(
      facts.timeline.personId === null ? 'person-unknown' : 'texts-spent',
      facts.timeline.personId === null
        ? say`There is no user with the name that was entered, so no ${what} was sent at ${queued}.`
        : say`No ${what} was sent at ${queued}: the user has no phone that may be used here, or added it less than account.waitingTime ago, or a limit of texts is spent.`,
      'The browser sees no difference, so that visitors cannot find out who has an account, and which phone.',
    )
  }
  if (text.state === 'dead' || text.state === 'expired') {
    const how = text.state === 'dead' ? 'was refused permanently' : 'could not be sent in time'
    return bad(
      'text-undelivered',
      say`The ${what} queued at ${queued} ${how} after ${tries(text)}${because(text)}.`,
      'See docs/telephony.md for what the service (telephony.hook) may answer.',
    )
  }
  if (text.state === 'waiting' && text.error !== undefined) {
    return bad(
      'text-undelivered',
      say`The ${what} queued at ${queued} is in the outbox: the service did not take it after ${tries(text)}${because(text)}.`,
      'It is tried again until the code expires.',
    )
  }
  if (facts.now >= endsAt) {
    return bad(
      'code-expired',
      say`The code expired at ${moment(endsAt)}, ${span(facts.codeLifetimeMs)} after it was sent; it was not entered.`,
      `The user requests another ${what} on the same page.`,
    )
  }
  return {
    cause: 'waiting',
    tone: 'waiting',
    sentence: say`The transaction is waiting for the code of the ${what} of ${queued}; it is valid until ${moment(endsAt)}.`,
  }
}

const tries = ({ attempts }: MailFacts): string => (attempts === 1 ? 'one attempt' : `${attempts} attempts`)
const because = ({ error }: MailFacts): string =>
  error === undefined ? '' : ` (${error.split('\n')[0] ?? ''})`

/** Explains a mail without a recipient. The browser sees no difference, so only the inspector gives the reason. */
function explainUnsentMail({ timeline, personStatus }: FlowFacts, { queuedAt }: MailFacts): Explanation {
  const at = moment(queuedAt)
  const advice = 'The browser sees no difference, so that visitors cannot find out who has an account.'
  if (timeline.personId === null) {
    return bad(
      'person-unknown',
      say`There is no user with the name that was entered, so no mail was sent at ${at}.`,
      advice,
    )
  }
  switch (personStatus) {
    case 'STAGED':
      return bad(
        'person-staged',
        say`The account is staged: it has not been activated yet, so no mail was sent at ${at}.`,
        advice,
      )
    case 'DEPROVISIONED':
      return bad('person-deactivated', say`The account is deactivated, so no mail was sent at ${at}.`, advice)
    case undefined:
      return bad('person-removed', say`The user was removed, so no mail was sent at ${at}.`, advice)
  }
  if (timeline.intent === 'unlock' && personStatus !== 'LOCKED_OUT') {
    return bad(
      'person-not-locked',
      say`The account is not locked out, so no mail was sent at ${at}: only a locked account is written to.`,
      advice,
    )
  }
  return bad(
    'mails-spent',
    say`Too many mails were sent to this account under another of its names, so none was sent at ${at}.`,
    'See limits.mailsPerRecipient.',
  )
}
