import { plainHash, type Random, type Secrets } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import type { Enrollment, NewEnrollment, Person, UserSchema } from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { Budgets, Source, Use, Used } from '../limits/index.ts'
import type {
  AuthenticatorFacts,
  Evidence,
  Method,
  PasswordRules,
  Policy,
  RegistrationPolicy,
} from '../policies/index.ts'
import type { ProfileField } from '../registration/index.ts'
import type { BeforeRegistration } from './before-registration.ts'
import type { ConsentAsked } from './consent.ts'
import type { PuttingOff } from './enrolling.ts'
import type { Field, Input } from './form.ts'
import type { ManagedFactor } from './managed-factor.ts'
import type { Charge, Effect, Outcome, Refusal } from './outcome.ts'
import type { Challenge, Progress } from './progress.ts'
import type { AnswerInHand } from './spray.ts'
import type { Stage } from './stage.ts'

/** What a step may read. */
export interface View {
  readonly progress: Progress
  /** What applies now: the same for every name before the first proof, the user's own from then on. */
  readonly policy: Policy
  readonly stage: Stage
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /**
   * The methods of an authenticator that may be used now: without those that an administrator has switched off and, in a
   * recovery or an unlock, without those that the policy's rule does not name.
   */
  methodsOf(authenticator: Pick<Authenticator, 'key' | 'methods'>): readonly Method[]
  /** The authenticators to choose from, in the order in which they are offered. */
  readonly choices: readonly Authenticator[]
  /** The authenticators that are asked to be enrolled now, and whether that may be declined. */
  readonly enrollable: readonly Authenticator[]
  readonly skippable: boolean
  /** Which of them are required and may still be put off, and for how long; by authenticator. Absent: none. */
  readonly gracePeriods?: Readonly<Record<string, PuttingOff>>
  /** The fields of the profile form that the user has still to fill in. Absent: none. */
  readonly missing?: readonly ProfileField[]
  /** What the app wants that the user has not allowed. Absent: nothing. */
  readonly consent?: ConsentAsked
  /** The authenticator whose credential the transaction replaces, or could: the one that a recovery is for. */
  readonly replaceable: Authenticator | undefined
  /** The user's enrollments; empty before a proof, so that nothing shown can depend on them. */
  readonly enrollments: readonly Enrollment[]
  /** What the app expects to be typed as the identifier. */
  readonly loginHint?: string | undefined
  /** The user, once something has been proven; absent before, whether or not there is one. */
  readonly user: Person | undefined
  /** Which sign-up the app has; absent: none. */
  readonly registration?: RegistrationPolicy | undefined
  /** The fields of the form by which a visitor makes an account, while it is asked for; else none. */
  readonly profileForm?: readonly ProfileField[]
  readonly client: Client
  readonly transaction: {
    readonly id: string
    /** A value that only the engine can make, the same each time for this transaction: a challenge that needs no row. */
    derived(purpose: string): string
  }
}

/** What a step works with: read ports and values. It writes nothing; what it wants done stands in its outcome. */
export interface StepContext extends View {
  readonly now: number
  /**
   * The right time as far as it is known, for codes that another clock makes too (TOTP): `now` may be ahead of it.
   * Absent: the same as `now`.
   */
  readonly referenceTime?: number
  readonly random: Random
  readonly secrets: Secrets
  readonly budgets: Budgets
  /** Where the request comes from, as every budget counts it. */
  readonly source: Source
  /** Aborted when the caller has gone. */
  readonly signal?: AbortSignal | undefined
  readonly interaction: Interaction
  /** The subject, read anew at every step; absent: no user has this name, or none was typed yet. */
  readonly person: Person | undefined
  /** The user's own policy, also before a proof; that of Everyone for an unknown user. What it says must not show. */
  readonly ownPolicy: Policy
  /** From when what the user enrols in this submission counts (`Enrollment.settlesAt`); absent: at once. */
  readonly settlesAt?: number
  readonly directory: {
    findByIdentifier(identifier: string): Promise<Person | undefined>
    /** By id: a passkey says whose it is. */
    find(personId: string): Promise<Person | undefined>
    /** The user's enrollment of an authenticator of which a user has one. The same statement for an unknown user. */
    enrollment<Data>(personId: string, authenticator: string): Promise<Enrollment<Data> | undefined>
    /** All of the user's enrollments of an authenticator, the oldest first. The same statement for an unknown user. */
    enrollments<Data>(personId: string, authenticator: string): Promise<readonly Enrollment<Data>[]>
    /** By what an authenticator names its user. The same statements for a handle that no user has. */
    findByHandle(handle: string): Promise<Person | undefined>
    /** Whether some user, whichever it is, has the enrollment of a slot. */
    isSlotTaken(authenticator: string, slot: string): Promise<boolean>
    /** Which attributes users have. */
    userSchema(): Promise<UserSchema>
  }
  /** The same context for a user who was named a moment ago; for an unknown user that of Everyone. */
  about(progress: Progress): Promise<StepContext>
  /** How much of each budget is used, in the order asked for, without charging it. One statement, also about an unknown user. */
  used(uses: readonly Use[]): Promise<readonly number[]>
  /** The same, and when each window ends. */
  peek(uses: readonly Use[]): Promise<readonly Used[]>
  /** Counts a refusal by a budget that is written nowhere, for metrics. */
  countRefusal?(budget: string): void
  /** From how many wrong answers of all sources on the installation is under attack; `wrong` is how many there are. */
  attackFrom?(wrong: number): Promise<number>
  /** How many users have signed in from this source on this node within the hour. */
  readonly signInsFromSource?: number
  /** Counts an answer that is about to be checked, until `end` is called; answers how many of its source are being checked. */
  beginAnswer?(): AnswerInHand | Promise<AnswerInHand>
  /** Whether the user has signed in from this source, or with this browser, before. */
  isKnownSource(person: Person | undefined): boolean
  /** Throws where the answer is not to be checked any more: asked again before a hash that has waited in the queue. */
  readonly recheck?: (() => Promise<void>) | undefined
  /**
   * Claims the transaction for expensive work until this submission ends. A second submission of the same transaction
   * meanwhile is answered as one that lost the race for its version: it costs no hash (A51).
   */
  claim(): void
  /** Counts a mail that is about to be queued, by source and by client; refused where there were too many (A57). */
  chargeMail(): Promise<Refusal | undefined>
  /** The same for a text or a call (A65). */
  chargeText(): Promise<Refusal | undefined>
  /** Counts the transaction that takes the place of a cancelled one, by source; refused where there were too many (A60). */
  chargeSuccessor?(): Promise<Refusal | undefined>
  /** Counts a sign-up, by source and by network; refused where there were too many (A63). */
  chargeSignUp?(): Promise<Refusal | undefined>
  /** Asked before a sign-up is accepted. Absent: nothing is. */
  readonly beforeRegistration?: BeforeRegistration
  /** Where a magic link leads, for its token. */
  linkFor(token: string): string
  /** The name of this installation, and its public address. */
  readonly org: { readonly name: string; readonly baseUrl: string }
  /** In milliseconds. */
  readonly lifetimes: { readonly code: number; readonly notice: number; readonly transaction?: number }
}

/** One thing a visitor can do: a row of the step table. */
export interface Step {
  /** As on the wire. */
  readonly name: string
  /** Below `/idp/idx/`; steps of different stages may share one. Steps that share one at the same stage share `accept`. */
  readonly path: string
  /** Where the form stands: among the remediations, on the current authenticator, or at the top. */
  readonly place: 'remediation' | 'authenticator' | 'top'
  /** When it is on offer. */
  readonly stages: readonly Stage[]
  /** Which part of the response the form is about: what is challenged or enrolled, or one of `parts` by its name. */
  about?(view: View): 'authenticator' | 'enrollment' | { readonly part: string } | undefined
  /** A narrower condition: on offer at those stages only where this holds. */
  offered?(view: View): boolean
  /** Accepted wherever it is on offer, but rendered only where this holds. */
  rendered?(view: View): boolean
  /** How long a client waits between two submissions, in milliseconds. */
  refresh?(view: View): number | undefined
  /** Further members of the response that the form points to, by name. */
  parts?(context: RenderContext): Readonly<Record<string, object>>
  /** What the form has beside its fields: the scopes that a consent is about. */
  members?(view: View): Readonly<Record<string, unknown>>
  fields(view: View): readonly Field[]
  accept(input: Input, context: StepContext): Promise<Outcome>
}

/** The steps on offer: exactly these are rendered, and exactly these are accepted. */
export const onOffer = (steps: readonly Step[], view: View): readonly Step[] =>
  steps.filter((step) => step.stages.includes(view.stage) && (step.offered?.(view) ?? true))

/**
 * A way of proving who one is, as a value. Everything that is special about it stands in its folder, the names of its
 * form fields and the wire's facts about it too; the flow and the generic steps know none by name.
 */
export interface Authenticator extends AuthenticatorFacts {
  /** The first letters of an enrollment's id. */
  readonly enrollmentPrefix: string
  /** Of one that every user has anyway: whether the user has it where a policy asks for it to be enrolled. */
  hasEnrolled?(person: Person): boolean
  readonly challenge?: Challenging
  readonly enroll?: Enrolling
  readonly reset?: Reset
  /** How the factors API of the management API speaks of it; absent: it does not. */
  readonly factor?: ManagedFactor
  /**
   * The data of an enrollment with what is sealed in it sealed with the current secret; undefined where it is already.
   * Absent: nothing is sealed in it.
   */
  reseal?(data: unknown, secrets: Secrets): unknown
  /**
   * Whether an enrollment can be used on this installation; one that cannot is as good as none wherever users sign in or
   * recover. Absent: all can.
   */
  isUsable?(enrollment: Enrollment, org: StepContext['org']): boolean
  /** Whether something of an enrollment was used that must be replaced (`enroll.isRenewedAfterUse`). Absent: nothing ever is. */
  isUsed?(enrollment: Enrollment): boolean
  /** Steps of its own, such as a passkey on the first page. */
  readonly steps?: readonly Step[]
  /** What administrators may set of it, by member of its settings: checks a value, answers what is wrong or undefined. */
  readonly settings?: Readonly<Record<string, (value: unknown) => string | undefined>>
  /** Texts of the messages it brings, by key. */
  readonly messages?: Readonly<Record<string, { readonly class: 'ERROR' | 'INFO'; readonly text: string }>>
}

/** How a user proves to have it. */
export interface Challenging {
  /** Whether the first page may ask for the answer together with the identifier: the password. */
  readonly withIdentifier?: boolean
  /** Which part of the response the challenge is about; absent: the enrollment. */
  readonly about?: 'authenticator' | 'enrollment'
  /** Whether each enrollment of a user is an option of its own: several phones. */
  readonly optionPerEnrollment?: boolean
  /** What an option points to on the wire; absent: the enrollment. */
  readonly optionAbout?: 'authenticator' | 'enrollment'
  /** What an option asks for besides the authenticator's id; absent: its first method, fixed. */
  optionFields?(view: View, enrollment: Enrollment | undefined): readonly Field[]
  /** Fields of a form between choosing it and sending a code; undefined: nothing is asked, choosing it sends. */
  dataFields?(view: View): readonly Field[] | undefined
  /** What of the choice is missing before anything can be sent; absent: nothing ever is. */
  isComplete?(choice: Choice, view: View): boolean
  /**
   * Whether the form of `dataFields` takes the place of a selection in which it is the only option, at this client and with the
   * user's enrollments of it, of which none is known before a proof. Absent: the selection is shown.
   */
  asksFirst?(client: Client, enrollments: readonly Enrollment[]): boolean
  /**
   * Opening it sends nothing and asks nothing more: after a proof, where it is the only choice, it is opened at once in place of the
   * selection, as Okta does. Absent: the selection is shown.
   */
  readonly opensAtOnce?: true
  /** Opens a challenge; sends what must be sent. */
  start(context: StepContext, choice: Choice): Promise<Started | { readonly refused: Refusal }>
  /** Where checking is expensive (a password hash), what is asked before it: nothing is computed for a used-up budget (A51). */
  admit?(input: Input, context: StepContext): Admission
  /** Checks an answer. Takes the same time and statements whether or not the user exists. */
  judge(input: Input, context: StepContext, challenge: Challenge | undefined): Promise<Judgement>
  /** What the form asks for. */
  fields(challenge: Challenge | undefined, view: View): readonly Field[]
  /** Whether the challenge can be sent again. */
  readonly resends: boolean
  /** How often, in milliseconds, a client may ask whether the challenge was met elsewhere; absent: it cannot be. */
  polls?(challenge: Challenge): number | undefined
  /** What an enrollment shows: before a proof made from what was typed only, then from the enrollment. */
  profile?(view: View, enrollment: Enrollment | undefined): Readonly<Record<string, string>> | undefined
  /** Members that an enrollment has on the wire besides the usual ones. */
  details?(enrollment: Enrollment): Readonly<Record<string, unknown>>
  /** Whether the right answer shows that the user reads the primary address: not where it went elsewhere, too. Absent: it never does. */
  provesMailbox?(challenge: Challenge): boolean
  /** The code that a magic link's token unseals. */
  codeUnder?(challenge: Challenge, token: string): string | undefined
  contextualData?(challenge: Challenge, context: RenderContext): Promise<Json> | Json | undefined
}

/** How a user comes to have it. */
export interface Enrolling {
  /** Whether a user may have several. */
  readonly several?: boolean
  /**
   * Whether a use of it, in this sign-in or, as `isUsed` says, an earlier one, has the user enrol it anew: a saved recovery code is replaced
   * (NIST SP 800-63B-4, 4.2.1.1).
   */
  readonly isRenewedAfterUse?: boolean
  /** What an option asks for besides the authenticator's id; absent: its first method, fixed. */
  optionFields?(view: View): readonly Field[]
  /** Fields of a form between choosing it and the first code: a phone number; undefined: nothing is asked. */
  dataFields?(view: View): readonly Field[] | undefined
  /** Whether the choice says enough to begin; absent: it always does. */
  isComplete?(choice: Choice, view: View): boolean
  /**
   * Begins: makes the secret, sends the first code. What is not confirmed yet stands in the challenge's data. A refusal may
   * come with the challenge that asks again.
   */
  start(
    context: StepContext,
    choice: Choice,
  ): Promise<Started | { readonly refused: Refusal; readonly challenge?: Challenge }>
  fields(challenge: Challenge | undefined, view: View): readonly Field[]
  /** As that of a challenge: for a confirmation that takes a password hash. */
  admit?(input: Input, context: StepContext): Admission
  /** Checks the confirmation. A right one returns what is stored. */
  judge(input: Input, context: StepContext, challenge: Challenge | undefined): Promise<Judgement>
  readonly resends: boolean
  polls?(challenge: Challenge): number | undefined
  contextualData?(challenge: Challenge, context: RenderContext): Promise<Json> | Json | undefined
  /** Another device finishes it, and no form here: how that device gets to know of it. No policy may require such a one. */
  readonly channels?: {
    readonly values: readonly { readonly label: string; readonly value: string }[]
    /** What the chosen channel asks for before anything can be sent; undefined: nothing, the page waits. */
    asks(challenge: Challenge | undefined): Field | undefined
    /** Sends to what was entered. */
    send(input: Input, context: StepContext): Promise<Outcome>
  }
}

type Json = Readonly<Record<string, unknown>>

/** What rendering contextual data may need. */
export interface RenderContext extends View {
  readonly secrets: Secrets
  readonly org: StepContext['org']
}

/** What a visitor chose: an authenticator, and whatever else was sent with it. */
export interface Choice {
  readonly method: string
  /** Whether the method was sent, or is the first one. */
  readonly isMethodChosen: boolean
  readonly enrollment?: Enrollment | undefined
  /** The members of `authenticator` as they came. */
  readonly input: Input
}

export interface Started {
  readonly challenge: Challenge
  readonly effects: readonly Effect[]
  /** Budgets that starting costs, with what happens where they are used up. */
  readonly charges?: (outcome: Outcome) => readonly Charge[]
}

/** What is asked before an answer is checked. Nothing of it depends on whether the user exists. */
export interface Admission {
  /** Whether there is an answer to check at all. */
  readonly isReadable: boolean
  /** Where one of these is used up, the answer is wrong without being checked. */
  readonly uses: readonly Use[]
  readonly refusal: Refusal
}

export type Judgement =
  /**
   * There is nothing to judge: a field is missing or of the wrong type, or what is to be enrolled is no good (`refusal`
   * says why). It is no guess, and nothing is counted.
   */
  | { readonly verdict: 'unreadable'; readonly refusal?: Refusal }
  | {
      readonly verdict: 'right' | 'wrong'
      /** Right, but too old to go on with: it must be replaced first. */
      readonly expired?: boolean
      /** Right, and in so many days too old: the user is warned before the sign-in ends. */
      readonly daysToExpiry?: number
      /** Which enrollment was proven. */
      readonly enrollmentId?: string
      /** What this proof is evidence of where it differs from the authenticator's facts: a passkey without user verification. */
      readonly evidence?: Partial<Pick<Evidence, 'factors' | 'traits' | 'method'>>
      /** The authenticator that could have set the credential (`Proof.setBy`). */
      readonly setBy?: string | undefined
      /**
       * Budgets that the guess is charged to, and that the visitor sees or could measure. So they are charged by what the
       * visitor saw (the name as typed, the form that was shown), whatever is stored of the account (A52).
       */
      readonly visible?: readonly Use[]
      /** Budgets by account, silent: an answer over one of them is just wrong. */
      readonly budgets: readonly Use[]
      /** A budget that a wrong answer may be the last of, and what happens then besides. */
      readonly last?: {
        /** False: it is counted and written as for users who have such a budget, and refuses nothing. */
        readonly isBinding: boolean
        readonly budget: Charge['budget']
        readonly subject: string
        readonly effects: readonly Effect[]
      }
      readonly effects: readonly Effect[]
      /** What a wrong answer is answered with. */
      readonly refusal: Refusal
      /** Why it is wrong, for the log alone: a visitor gets the same answer whatever it is. */
      readonly rule?: string
    }

/** How its credential is replaced. */
export interface Reset {
  fields(policy: Policy): readonly Field[]
  /** Rules to show, as on the wire. */
  settings(rules: PasswordRules): Readonly<Record<string, unknown>>
  /** Checks and prepares the new credential; hashing happens here, outside of any database transaction. */
  accept(
    input: Input,
    context: StepContext,
    person: Person,
  ): Promise<{ readonly refused: Refusal } | { readonly enrollment: NewEnrollment }>
}

/**
 * The authenticator that is challenged or enrolled, or of which it is asked how: of an open challenge, else the only one there is
 * to choose.
 */
export const authenticatorAsked = ({
  authenticators,
  choices,
  progress: { challenge },
  stage,
}: View): Authenticator | undefined =>
  challenge === undefined
    ? stage === 'verify-data'
      ? choices[0]
      : undefined
    : authenticators.get(challenge.authenticator)

/** The public id of an authenticator: the same on every installation, so that it survives restarts and nodes. */
export function authenticatorId(key: string): string {
  const id = authenticatorIds.get(key) ?? `aut${publicPart(`authenticator ${key}`)}`
  authenticatorIds.set(key, id)
  return id
}

/** By key, of which there are as many as authenticators: a response names each several times. */
const authenticatorIds = new Map<string, string>()

/** The id under which an enrollment is shown before a proof, made for one transaction: it says nothing of the user. */
export const enrollmentId = (authenticator: Authenticator, transactionId: string): string =>
  `${authenticator.enrollmentPrefix}${publicPart(`${transactionId} ${authenticator.key}`)}`

const publicPart = (of: string): string => plainHash(of).replace(/[-_]/g, '').slice(0, 17)
