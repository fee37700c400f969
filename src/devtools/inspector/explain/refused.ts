import { type FlowFacts, mailsOf, ruleOf, timeIn } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say, span } from './cause.ts'
import { statusOf } from './ended.ts'

/** Why the last answer was not accepted; undefined where it was. */
export function explainRefusal(facts: FlowFacts, last: Recorded | undefined): Explanation | undefined {
  if (last === undefined) return explainLogged(facts)
  const [message = ''] = last.messages
  if (last.status < 400 && message !== 'idx.unknown.user') return undefined
  const at = moment(last.at)
  if (last.reason === 'not on offer') return offTheOffer(last)
  if (message === 'idx.session.expired') return explainLate(facts, last)
  if (message.startsWith('password.')) {
    return bad(
      'password-refused',
      say`The new password of ${at} does not meet the policy.${hintOf(last)}`,
      'Nothing is lost: another password may be sent at once.',
    )
  }
  switch (message) {
    case 'api.authn.error.PASSCODE_INVALID':
    case 'errors.E0000004':
      return explainWrongAnswer(facts, last.at)
    case 'tooManyRequests':
      return explainBudget(facts, last)
    case 'E0000047':
      return last.reason?.includes('asked for') ? failure(last) : requests(last)
    case 'oie.selfservice.reset.password.not.allowed':
      return bad(
        'recovery-off',
        say`Nobody may recover a password here: the policy names no authenticator that could start one; told at ${at}.`,
        'See policies.recovery.authenticators.',
      )
    case 'idx.error.user.not.assigned.to.app':
      return bad(
        'person-not-assigned',
        say`The person proved at ${at} who she is, but she is not assigned to ${facts.timeline.clientId}.`,
        'Put her into one of the app’s groups.',
      )
    case 'idx.unknown.user':
      return bad(
        'person-unknown',
        say`Nobody is known by the name that was typed at ${at}, and the policy says so openly (revealUnknown).`,
      )
    case 'model.validation.field.blank':
      return bad(
        'answer-incomplete',
        say`What was sent at ${at} lacks a field that the form requires.`,
        'Compare it with the fields of the remediation.',
      )
    case 'E0000020':
    case 'E0000003':
      return bad(
        'request-malformed',
        say`What was sent at ${at} cannot be read: a field is of another kind than the form asks for.`,
      )
    case 'E0000009':
      return failure(last)
  }
  return bad(
    'engine-failed',
    say`The engine answered ${last.status} (${message || 'no message'}) at ${at}.`,
    'Its log says more.',
  )
}

const hintOf = ({ hint }: Recorded): string =>
  hint === undefined ? '' : ` ${hint.replace(/^Password requirements: /, 'It asks for ')}`

const failure = ({ at, status }: Recorded): Explanation =>
  bad('failure-asked-for', say`The answer ${status} of ${moment(at)} was asked for with POST /faults.`)

const requests = ({ at }: Recorded): Explanation =>
  bad(
    'requests-spent',
    say`Too many requests: the one of ${moment(at)} was not looked at.`,
    'See limits.requests and limits.preset.',
  )

function offTheOffer({ path, at, stageBefore, offered }: Recorded): Explanation {
  const forms = offered.length > 0 ? offered.join(', ') : 'nothing'
  return bad(
    'step-not-on-offer',
    say`The step ${path.split('/idp/idx/')[1] ?? path} was sent at ${moment(at)}, when the conversation stood at “${stageBefore ?? ''}” and offered ${forms}.`,
    'The app sends what the latest response offers, with its form’s href.',
  )
}

/** What came after the end, or after the time was over. */
function explainLate({ timeline, moves }: FlowFacts, { at }: Recorded): Explanation {
  const expiresAt = timeIn(timeline.expiresAt)
  const began = timeIn(timeline.createdAt)
  const moved = moves
    .filter((move) => move.at >= began && move.at <= at)
    .reduce((sum, { byMs }) => sum + byMs, 0)
  return bad(
    'transaction-expired',
    say`The conversation expired at ${moment(expiresAt)}, ${span(expiresAt - began)} after it began; the next answer came at ${moment(at)}.${movedWords(moved)}`,
    'The app begins anew with interact.',
  )
}

const movedWords = (ms: number): string =>
  ms === 0 ? '' : ` The clock was moved ${ms > 0 ? 'ahead' : 'back'} by ${span(Math.abs(ms))} in between.`

/** A code or password that was wrong, by the rule that the log names. */
function explainWrongAnswer(facts: FlowFacts, answeredAt: number): Explanation {
  const judged = facts.timeline.events.findLast(
    ({ eventType, outcome }) => eventType === 'user.authentication.verify' && outcome.result === 'FAILURE',
  )
  const rule = ruleOf(judged)
  const guesses = judged?.debugContext.debugData['guesses-per-transaction']
  const counted = guesses === undefined ? '' : ` It is wrong answer ${guesses}.`
  const at = moment(answeredAt)
  const status = statusOf(rule)
  if (status !== undefined) {
    return bad(
      status.cause,
      say`The account ${status.words}, so no password is right: the one of ${at} was refused like any wrong one.`,
    )
  }
  switch (rule) {
    case 'code-expired':
      return explainExpired(facts, answeredAt)
    case 'nobody':
      return bad(
        'person-unknown',
        say`Nobody is known by the name that was typed, so no answer is right: the one of ${at} was refused like any wrong one.`,
        'Visitors are not told. Is the person in this database?',
      )
    case 'codes-per-day':
    case 'codes-until-success':
      return bad(
        'guesses-of-the-day-spent',
        say`Too many wrong codes were typed for this account, so short codes are wrong whatever they are: the one of ${at}, too.`,
        'The next mail carries a long code, which works.',
      )
    case 'passwords-per-hour':
    case 'passwords-per-hour-by-source':
    case 'passwords-by-name':
      return bad(
        'guesses-of-the-day-spent',
        say`Too many wrong passwords were typed for this account or by this source, so all are wrong for an hour: the one of ${at}, too.`,
        'A recovery clears it.',
      )
    case 'wrong-password':
      return bad('password-wrong', say`The password of ${at} is wrong.${counted}`)
  }
  return bad(
    'code-wrong',
    say`The code typed at ${at} is not the one of the newest mail.${counted}`,
    'A resend replaces the code: only the newest works.',
  )
}

function explainExpired(facts: FlowFacts, answeredAt: number): Explanation {
  const mail = mailsOf(facts).findLast(
    ({ codeEndsAt, queuedAt }) => codeEndsAt !== undefined && queuedAt <= answeredAt,
  )
  if (mail?.codeEndsAt === undefined)
    return bad('code-expired', say`The code had expired when it was typed at ${moment(answeredAt)}.`)
  const moved = facts.moves
    .filter((move) => move.at >= mail.queuedAt && move.at <= answeredAt)
    .reduce((sum, { byMs }) => sum + byMs, 0)
  return bad(
    'code-expired',
    say`The code expired at ${moment(mail.codeEndsAt)}, ${span(facts.codeLifetimeMs)} after it was mailed; the person typed it at ${moment(answeredAt)}.${movedWords(moved)}`,
    'The person asks for another mail on the same page.',
  )
}

/** A budget that visitors can see. The log tells it once a window; after that the path says which it is. */
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
      say`Too many mails were asked for this person${limit === undefined ? '' : ` (${limit} are allowed)`}: none was sent at ${at}.`,
      'See limits.mailsPerRecipient; the clock can be moved on in tests.',
    )
  }
  return bad(
    'address-spent',
    say`Too many wrong answers came from this network address: the one of ${at} was not judged.`,
    'See limits.sprayPerAddressMinute and its siblings.',
  )
}

/** Nothing was watched, as before a restart: what the log says last. */
function explainLogged(facts: FlowFacts): Explanation | undefined {
  const last = facts.timeline.events.findLast(({ eventType }) => eventType === 'user.authentication.verify')
  if (last?.outcome.result !== 'FAILURE') return undefined
  return explainWrongAnswer(facts, timeIn(last.published))
}
