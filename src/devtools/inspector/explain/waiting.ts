import { type FlowFacts, type MailFacts, mailsOf, timeIn } from '../facts.ts'
import { bad, type Explanation, moment, type Sentence, say, span } from './cause.ts'

/** What a conversation waits for, and what keeps it from coming. */
export function explainWaiting(facts: FlowFacts): Explanation {
  const mail = mailsOf(facts).findLast(({ codeEndsAt }) => codeEndsAt !== undefined)
  if (mail !== undefined && standsAt(facts) === 'verify') return explainMail(facts, mail)
  return { cause: 'waiting', tone: 'waiting', sentence: waits(facts) }
}

/** The stage of the last exchange; without any, what the row lets one guess. */
function standsAt({ exchanges, timeline }: FlowFacts): string {
  const watched = exchanges.findLast(({ stageAfter }) => stageAfter !== undefined)?.stageAfter
  if (watched !== undefined) return watched
  if (timeline.identifier === null) return timeline.intent === 'recovery' ? 'identify-recovery' : 'identify'
  return timeline.proofs.length === 0 ? 'verify' : 'reset'
}

function waits(facts: FlowFacts): Sentence {
  const since = moment(facts.exchanges.at(-1)?.at ?? timeIn(facts.timeline.updatedAt))
  const of: Readonly<Record<string, string>> = {
    identify: 'somebody to say who she is',
    'identify-recovery': 'somebody to say whose password was forgotten',
    select: 'the visitor to choose how to prove who she is',
    verify: 'the visitor’s answer',
    reset: 'a new password',
    reenroll: 'a new password in place of the expired one',
  }
  return say`It waits for ${of[standsAt(facts)] ?? 'what comes next'} since ${since}.`
}

/** The code of a mail is waited for: whether there is such a mail, and whether it can still be answered. */
function explainMail(facts: FlowFacts, mail: MailFacts): Explanation {
  const queued = moment(mail.queuedAt)
  const endsAt = mail.codeEndsAt ?? mail.queuedAt
  if (mail.toNobody) return explainNobody(facts, mail)
  if (mail.state === 'dead' || mail.state === 'expired') {
    const how = mail.state === 'dead' ? 'was refused for good' : 'could not be delivered in time'
    return bad(
      'mail-undelivered',
      say`The mail of ${queued} ${how} after ${tries(mail)}${because(mail)}.`,
      'Mend the mail server (mail.url), then ask for another mail.',
    )
  }
  if (mail.state === 'waiting' && mail.error !== undefined) {
    return bad(
      'mail-undelivered',
      say`The mail of ${queued} waits in the outbox: the mail server did not take it at ${tries(mail)}${because(mail)}.`,
      'It is tried again by itself until its code expires.',
    )
  }
  if (facts.now >= endsAt) {
    return bad(
      'code-expired',
      say`The code expired at ${moment(endsAt)}, ${span(facts.codeLifetimeMs)} after it was mailed; nobody typed it.`,
      'The person asks for another mail on the same page.',
    )
  }
  const opened = facts.exchanges.findLast(({ endpoint, reason }) => endpoint === 'link' && reason === 'alive')
  if (opened !== undefined && opened.at >= mail.queuedAt) {
    const where = opened.browser === undefined ? '' : ` (${opened.browser})`
    return {
      cause: 'link-in-other-browser',
      tone: 'waiting',
      sentence: say`The link was opened at ${moment(opened.at)} in another browser${where} than the one that asked for it, which shows the code and signs nobody in; the code was never typed.`,
      advice: `The person types the code in the first browser; it is good for ${span(endsAt - facts.now)} more.`,
    }
  }
  return {
    cause: 'waiting',
    tone: 'waiting',
    sentence: say`It waits for the code or the link that was mailed at ${queued}; both are good until ${moment(endsAt)}.`,
  }
}

const tries = ({ attempts }: MailFacts): string => (attempts === 1 ? 'the first try' : `${attempts} tries`)
const because = ({ error }: MailFacts): string =>
  error === undefined ? '' : ` (${error.split('\n')[0] ?? ''})`

/** A mail to nobody looks to the visitor as any other. Why it has no recipient is told here alone. */
function explainNobody({ timeline, personStatus }: FlowFacts, { queuedAt }: MailFacts): Explanation {
  const at = moment(queuedAt)
  const advice = 'The visitor sees no difference, so that nobody learns who has an account.'
  if (timeline.personId === null) {
    return bad(
      'person-unknown',
      say`Nobody is known by the name that was typed, so no mail was sent at ${at}.`,
      advice,
    )
  }
  switch (personStatus) {
    case 'STAGED':
      return bad(
        'person-staged',
        say`The person’s account is staged: nobody has activated it yet, so no mail was sent at ${at}.`,
        advice,
      )
    case 'DEPROVISIONED':
      return bad(
        'person-deactivated',
        say`The person’s account is deactivated, so no mail was sent at ${at}.`,
        advice,
      )
    case undefined:
      return bad('person-removed', say`The person was removed, so no mail was sent at ${at}.`, advice)
  }
  return bad(
    'mails-spent',
    say`Too many mails went to this account under another of its names, so none was sent at ${at}.`,
    'See limits.mailsPerRecipient.',
  )
}
