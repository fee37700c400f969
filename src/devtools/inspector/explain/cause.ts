import { isoTime } from '../../../base/index.ts'
import { spanInWords } from '../../../i18n/index.ts'

/** Why a conversation ended, or where it waits: the causes that are told apart. */
export type Cause =
  // It went well, or nothing is wrong yet.
  | 'signed-in'
  | 'password-set'
  | 'code-not-redeemed'
  | 'waiting'
  // Codes and links.
  | 'code-expired'
  | 'code-wrong'
  | 'link-used'
  | 'link-superseded'
  | 'link-expired'
  | 'link-unknown'
  | 'link-of-another-client'
  | 'link-in-other-browser'
  // Budgets.
  | 'guesses-spent'
  | 'guesses-of-the-day-spent'
  | 'mails-spent'
  | 'address-spent'
  | 'requests-spent'
  // People.
  | 'person-unknown'
  | 'person-staged'
  | 'person-suspended'
  | 'person-deactivated'
  | 'person-locked'
  | 'person-removed'
  | 'person-not-ready'
  | 'person-not-assigned'
  | 'email-changed'
  // Passwords and policies.
  | 'password-wrong'
  | 'password-refused'
  | 'password-changed-elsewhere'
  | 'recovery-off'
  | 'factor-missing'
  // Conversations.
  | 'transaction-expired'
  | 'cancelled'
  | 'ended'
  | 'step-not-on-offer'
  | 'answer-incomplete'
  | 'request-malformed'
  | 'handle-unknown'
  // Mails.
  | 'mail-undelivered'
  // Apps and their tokens.
  | 'client-unknown'
  | 'client-secret-wrong'
  | 'client-wrong'
  | 'redirect-uri-wrong'
  | 'interact-refused'
  | 'code-used-twice'
  | 'code-redeemed-late'
  | 'code-unknown'
  | 'verifier-wrong'
  | 'session-over'
  | 'clock-skew'
  // The engine.
  | 'failure-asked-for'
  | 'engine-failed'

/** A moment in a sentence: the page shows it in its reader's own zone. */
export interface Moment {
  readonly at: number
}

export type Sentence = readonly (string | Moment)[]

export interface Explanation {
  readonly cause: Cause
  readonly tone: 'good' | 'waiting' | 'bad'
  /** One plain sentence. */
  readonly sentence: Sentence
  /** What to do about it. */
  readonly advice?: string | undefined
}

export const bad = (cause: Cause, sentence: Sentence, advice?: string): Explanation => ({
  cause,
  tone: 'bad',
  sentence,
  advice,
})

/** A sentence with moments in it. */
export const say = (
  strings: TemplateStringsArray,
  ...parts: readonly (string | number | Moment)[]
): Sentence =>
  strings.flatMap((text, index): Sentence => {
    const part = parts[index - 1]
    if (part === undefined) return [text]
    return [typeof part === 'object' ? part : String(part), text]
  })

export const moment = (at: number): Moment => ({ at })

/** A span as people say it, without an amount that nobody needs: `7 minutes`. */
export const span = (ms: number): string => {
  const rough =
    ms >= 120_000 ? Math.round(ms / 60_000) * 60_000 : Math.max(1000, Math.round(ms / 1000) * 1000)
  return spanInWords('en', rough)
}

/** The sentence as text, with its moments in UTC. */
export const plain = (sentence: Sentence): string =>
  sentence.map((part) => (typeof part === 'string' ? part : `${isoTime(part.at).slice(11, 16)} UTC`)).join('')
