import type { Random, Secrets } from '../base/index.ts'
import type { Enrollment, NewEnrollment, Person } from '../directory/index.ts'
import type { Budgets, Use } from '../limits/index.ts'
import type { Policy } from '../policies/index.ts'
import type { Effect } from './outcome.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * How the factors API of the management API (`/api/v1/users/{id}/factors`) speaks of an authenticator: a value, as all of
 * it is. The operations there own what is common: who may call, what is stored while it is pending, statuses, budgets,
 * notices, events. An enrollment that this makes is the one that a sign-in asks for.
 */
export interface ManagedFactor {
  /** The factors of that API that it is; a phone is two, `sms` and `call`, of one enrollment. */
  readonly kinds: readonly [FactorKind, ...FactorKind[]]
  /** Whether a user may have several enrollments of it. Absent: enrolling a second one is refused as a duplicate. */
  readonly several?: boolean
  /** Whether Okta's API has no type for it: it is no factor in lists there, only an enrollment. */
  readonly isUnlisted?: boolean
  /** Whether an enrollment is a factor of this kind. Absent: where its method is the kind's. */
  isOf?(kind: FactorKind, enrollment: Enrollment): boolean
  /** The data of what a user has without an enrollment, such as a verified mailbox; undefined: this user has it not. */
  implied?(person: Person): unknown
  /** What of its data is shown: never a secret, an answer or a hash. */
  profile(data: unknown, context: FactorContext): Members
  /** What the API does not do with it, each with the sentence that says so and what to do instead. */
  readonly refuses?: {
    readonly enroll?: string
    readonly verify?: string
    readonly remove?: string
  }
  /** The same where it is masked, as a number of a phone among the user's enrollments; absent: all of it is shown. */
  maskedProfile?(data: unknown, context: FactorContext): Members
  /** Of an enrollment of several kinds, what is left without one; undefined: all of it goes. Absent: it always does. */
  without?(
    kind: FactorKind,
    enrollment: Enrollment,
  ): Pick<NewEnrollment, 'data' | 'method' | 'slot'> | undefined
  /** Reads the body of an enrolment. Hashing happens here, outside of any database transaction. */
  enroll?(request: FactorRequest, context: FactorContext): Promise<FactorProblems | NewFactor>
  /**
   * Begins to ask for it: makes and sends a code, draws a challenge. For an enrolment that waits to be confirmed and, with an empty
   * body, for a verification. Absent: an answer needs none, as a code of an app.
   */
  challenge?(factor: AskedFactor, context: FactorContext): Promise<FactorChallenge>
  /** `_embedded.activation` of an enrolment that waits to be confirmed: the secret to show, options for a passkey. */
  activation?(pending: PendingFactor, context: FactorContext): Promise<Members>
  /** Checks the confirmation of an enrolment. A right one has the enrollment to store. */
  activate?(answer: Members, pending: PendingFactor, context: FactorContext): Promise<FactorVerdict>
  /** Checks an answer; `factor.challenge` is what is open, undefined where nothing was asked or its time is over. */
  verify?(answer: Members, factor: AskedFactor, context: FactorContext): Promise<FactorVerdict>
  /** What the Authenticators API shows of a method that cannot be set, by method. */
  readonly methodSettings?: Readonly<Record<string, Members>>
  /** For `GET /factors/questions`: what a user may choose from. */
  readonly questions?: readonly { readonly question: string; readonly questionText: string }[]
}

/** One factor of the API. `factorType` and `provider` together name it in bodies. */
export interface FactorKind {
  readonly factorType: string
  readonly provider: string
  readonly vendorName: string
  /** The method of the authenticator that it is. */
  readonly method: string
  /** The first three letters of its id; the others are those of the enrollment's id. */
  readonly idPrefix: string
  /** How a code is sent, which `resend` does again: the name of the link. Absent: nothing is sent. */
  readonly sends?: 'email' | 'sms' | 'call'
}

/** What may be read. Nothing is written: that stands in effects. */
export interface FactorContext {
  readonly now: number
  /** The right time as far as it is known, for codes that another clock makes too. */
  readonly referenceTime: number
  readonly random: Random
  readonly secrets: Secrets
  readonly person: Person
  /** All enrollments of the user, the oldest first. */
  readonly enrollments: readonly Enrollment[]
  readonly org: { readonly name: string; readonly baseUrl: string }
  /** How long a code that is sent is good, in milliseconds. */
  readonly codeLifetime: number
  /** The user's own, without an app. */
  readonly policy: Policy
  readonly budgets: Budgets
  /** Who calls, as queues for expensive work count it. */
  readonly caller: string
  /** Whether some user, whichever it is, has the enrollment of a slot. */
  isSlotTaken(slot: string): Promise<boolean>
  /** The language of what is sent, where the caller asked for one: `Accept-Language`. */
  readonly language?: string | undefined
  /** The text that is sent, where the caller chose one. */
  readonly templateId?: string | undefined
}

export interface FactorRequest {
  readonly kind: FactorKind
  /** `profile` of the body; empty where there is none. */
  readonly profile: Members
  /** The other members of the body. */
  readonly body: Members
  /** `activate=true`: active at once, on the caller's word. */
  readonly activates: boolean
  /** `updatePhone=true`: in place of the one of before. */
  readonly updates: boolean
}

/** Why a body cannot be used, each as `member: why`. */
export interface FactorProblems {
  readonly problems: readonly string[]
}

/** What an enrolment stores: at once where it is active, else once it was confirmed. */
export interface NewFactor {
  readonly data: unknown
  /** Whether it needs no confirmation, as a security question. With `activate=true` nothing does. */
  readonly isActive?: boolean
  readonly counter?: number
  readonly name?: string
  /** As those of an enrollment to write. */
  readonly slot?: string
  readonly handle?: string
  /** No enrollment is written: its effects are all there is, as of a mailbox that was proven. */
  readonly isImplied?: boolean
  /** The enrollment that it takes the place of, or that gets this method besides: the id stays. */
  readonly enrollment?: Pick<Enrollment, 'id'>
  /** Whether that one is another thing from now on, such as another number. */
  readonly replaces?: boolean
  /** With it in the same database transaction, once it is active. */
  readonly effects?: readonly Effect[]
}

/** A factor that is asked for. */
export interface AskedFactor {
  readonly kind: FactorKind
  /** The factor's id. */
  readonly id: string
  /** Of the enrollment, of what is pending, or implied. */
  readonly data: unknown
  /** Absent while it is pending, and of what is implied. */
  readonly enrollment?: Enrollment | undefined
  /** The data of the challenge that is open. */
  readonly challenge: unknown
}

/** An enrolment that waits to be confirmed. */
export type PendingFactor = AskedFactor

export interface FactorChallenge {
  /** Stored until it is answered: hashed codes, a challenge that was drawn. */
  readonly data: unknown
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** The mail or text to queue. */
  readonly effects: readonly Effect[]
  /** What is charged with it: a used-up one refuses all of it. */
  readonly charges?: readonly Use[]
  /** `_embedded.challenge` of a verification. */
  readonly embedded?: Members
}

export type FactorVerdict =
  /** There is no answer to check: nothing is counted. */
  | ({ readonly verdict: 'unreadable' } & FactorProblems)
  /** Counted on the budgets of the factor. The rule is for the log. */
  | { readonly verdict: 'wrong'; readonly rule: string }
  /** No challenge is open, or its time is over: nothing was checked. */
  | { readonly verdict: 'timeout' }
  | {
      readonly verdict: 'right'
      readonly effects: readonly Effect[]
      /** Of an activation: what is stored, where it is another than what was pending. */
      readonly enrollment?: Pick<NewEnrollment, 'data' | 'counter' | 'name' | 'slot' | 'handle'>
    }

/** The id of a factor: the kind's letters, and the rest of the enrollment's id. */
export const factorId = ({ idPrefix }: FactorKind, enrollmentId: string): string =>
  `${idPrefix}${enrollmentId.slice(3)}`

/** The kinds of factors that an enrollment is. */
export const kindsOf = ({ kinds, isOf }: ManagedFactor, enrollment: Enrollment): readonly FactorKind[] =>
  kinds.filter((kind) => isOf?.(kind, enrollment) ?? kind.method === enrollment.method)

/** The cause of a refused enrolment where a user has it already. */
export const alreadySetUp = 'A factor of this type is already set up.'

/** The code of an answer: digits, however they were grouped; undefined where there is none. */
export function passCodeIn(answer: Members): string | undefined {
  const { passCode } = answer
  if (typeof passCode !== 'string' && typeof passCode !== 'number') return undefined
  return String(passCode).normalize('NFKC').replace(/[\s-]/g, '').slice(0, 64) || undefined
}

/** An answer without a code. */
export const noPassCode: FactorVerdict = {
  verdict: 'unreadable',
  problems: ['passCode: The field cannot be left blank'],
}
