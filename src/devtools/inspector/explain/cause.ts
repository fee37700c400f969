import { isoTime } from '../../../base/index.ts'
import { spanInWords } from '../../../i18n/index.ts'

/** The causes that the inspector distinguishes: why a transaction ended, or what it waits for. */
export type Cause =
  // Success, or no problem so far.
  | 'signed-in'
  | 'password-set'
  | 'account-unlocked'
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
  // Rate limits.
  | 'guesses-spent'
  | 'guesses-of-the-day-spent'
  | 'mails-spent'
  | 'address-spent'
  | 'requests-spent'
  // Users.
  | 'person-unknown'
  | 'address-taken'
  | 'person-staged'
  | 'person-suspended'
  | 'person-deactivated'
  | 'person-locked'
  | 'person-not-locked'
  | 'person-removed'
  | 'person-not-ready'
  | 'person-not-assigned'
  | 'email-changed'
  // Sign-ups and profile forms.
  | 'profile-refused'
  | 'captcha-refused'
  | 'sign-up-off'
  | 'sign-up-denied'
  // Passwords and policies.
  | 'password-wrong'
  | 'password-refused'
  | 'password-changed-elsewhere'
  | 'recovery-off'
  | 'unlock-off'
  | 'factor-missing'
  // Transactions.
  | 'transaction-expired'
  | 'cancelled'
  | 'ended'
  | 'step-not-on-offer'
  | 'answer-incomplete'
  | 'request-malformed'
  | 'handle-unknown'
  | 'passkey-refused'
  // Authenticators.
  | 'recovery-code-wrong'
  | 'answer-wrong'
  | 'question-refused'
  | 'number-refused'
  | 'texts-spent'
  | 'text-too-soon'
  | 'authenticator-unusable'
  | 'access-denied'
  // Mails, texts and calls.
  | 'mail-undelivered'
  | 'text-undelivered'
  // Apps and their tokens.
  | 'client-unknown'
  | 'client-secret-wrong'
  | 'client-wrong'
  | 'redirect-uri-wrong'
  | 'interact-refused'
  | 'scope-wrong'
  | 'pkce-missing'
  | 'token-refused'
  | 'call-refused'
  | 'origin-untrusted'
  | 'address-unknown'
  | 'code-used-twice'
  | 'code-redeemed-late'
  | 'code-unknown'
  | 'verifier-wrong'
  | 'session-over'
  | 'clock-skew'
  // The engine.
  | 'failure-asked-for'
  | 'engine-failed'

/** A time in a sentence: the page shows it in the time zone of the browser. */
interface Moment {
  readonly at: number
}

export type Sentence = readonly (string | Moment)[]

export interface Explanation {
  readonly cause: Cause
  readonly tone: 'good' | 'waiting' | 'bad'
  /** The cause in one sentence. */
  readonly sentence: Sentence
  /** How to fix it. */
  readonly advice?: string | undefined
}

export const bad = (cause: Cause, sentence: Sentence, advice?: string): Explanation => ({
  cause,
  tone: 'bad',
  sentence,
  advice,
})

/** A template tag for sentences that contain times. */
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

/** A duration, rounded for reading: `7 minutes`. */
export const span = (ms: number): string => {
  const rough =
    ms >= 120_000 ? Math.round(ms / 60_000) * 60_000 : Math.max(1000, Math.round(ms / 1000) * 1000)
  return spanInWords('en', rough)
}

/** The sentence as text, with times in UTC. */
export const plain = (sentence: Sentence): string =>
  sentence.map((part) => (typeof part === 'string' ? part : `${isoTime(part.at).slice(11, 16)} UTC`)).join('')
