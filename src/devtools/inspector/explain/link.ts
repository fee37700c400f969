import { type FlowFacts, mailsOf } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say, span } from './cause.ts'

/** Explains why a mailed link that was opened did not work; undefined if it worked. */
export function explainLink(facts: FlowFacts, opened: Recorded): Explanation | undefined {
  const { at, reason } = opened
  const opening = moment(at)
  const mails = mailsOf(facts).filter((mail) => mail.codeEndsAt !== undefined && mail.queuedAt <= at)
  const newest = mails.at(-1)
  if (opened.status >= 400) return undefined
  switch (reason) {
    case 'alive':
      return undefined
    case 'client':
      return bad(
        'link-of-another-client',
        say`The link that was opened at ${opening} is for another app than this transaction.`,
        'The address of the link was changed after it was mailed; open it unchanged.',
      )
    case 'stale':
      return bad(
        'link-superseded',
        newest === undefined
          ? say`The link that was opened at ${opening} is not the newest one.`
          : say`The link that was opened at ${opening} is from an earlier mail, which was replaced by a newer one at ${moment(newest.queuedAt)}.`,
        'Only the link and the code of the newest mail work.',
      )
    case 'expired':
      return bad(
        'link-expired',
        say`The link expired at ${moment(newest?.codeEndsAt ?? at)}, ${span(facts.codeLifetimeMs)} after it was mailed; it was opened at ${opening}.`,
        'The user requests another mail on the same page.',
      )
  }
  return facts.timeline.proofs.includes('okta_email') || facts.timeline.closed !== null
    ? bad(
        'link-used',
        usedSentence(facts, opened),
        'A link works once. A mail scanner that opens the link does not use it up.',
      )
    : bad('link-unknown', say`The link that was opened at ${opening} was not mailed in this transaction.`)
}

function usedSentence({ timeline, exchanges }: FlowFacts, opened: Recorded) {
  const proven = exchanges.find(
    ({ step, stageBefore, stageAfter, status, at }) =>
      step === 'challenge-authenticator' &&
      stageBefore === 'verify' &&
      stageAfter !== 'verify' &&
      status < 400 &&
      at <= opened.at,
  )
  if (proven !== undefined) {
    return say`The link that was opened at ${moment(opened.at)} was used before: its code was accepted at ${moment(proven.at)}.`
  }
  return timeline.closed === null
    ? say`The link that was opened at ${moment(opened.at)} was used before.`
    : say`The link that was opened at ${moment(opened.at)} is invalid: its transaction is closed.`
}
