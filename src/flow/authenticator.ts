import { plainHash, type Random, type Secrets } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import type { Person } from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { Budgets, Source, Use, Used } from '../limits/index.ts'
import type { PasswordRules, Policy } from '../policies/index.ts'
import type { Field, Input } from './form.ts'
import type { Charge, Effect, Outcome, Refusal } from './outcome.ts'
import type { Challenge, Progress } from './progress.ts'
import type { Stage } from './stage.ts'

/** A kind of proof, as a value. Everything that is special about it stands in its folder. */
export interface Authenticator {
  /** As on the wire: `okta_email`. */
  readonly key: string
  /** As on the wire: `email`. */
  readonly type: string
  readonly displayName: string
  readonly methods: readonly string[]
  /** How a token tells of it (RFC 8176). */
  readonly amr: readonly string[]
  /** The first letters of an enrollment's id. */
  readonly enrollmentPrefix: string
  readonly verify?: Verification
  readonly reset?: Reset
  /** Words of the messages it brings, by key. */
  readonly messages?: Readonly<Record<string, { readonly class: 'ERROR' | 'INFO'; readonly text: string }>>
}

/** How somebody proves that she has it. */
export interface Verification {
  /** Opens a challenge; sends what must be sent. */
  start(context: StepContext): Promise<Started>
  /** Judges an answer. Takes the same time and statements whether or not the user exists. */
  judge(input: Input, context: StepContext, challenge: Challenge | undefined): Promise<Judgement>
  /** Where judging is dear (a password hash), what is asked before it: nothing is computed for a spent budget (A51). */
  admit?(input: Input, context: StepContext): Admission
  /** What the form asks for. */
  fields(challenge: Challenge | undefined): readonly Field[]
  /** Whether the challenge can be sent again. */
  readonly resends: boolean
  /** How often, in milliseconds, a client may ask whether the challenge was met elsewhere; absent: it cannot be. */
  polls?(challenge: Challenge): number | undefined
  /** What the enrollment says of itself before the person is proven: made from what she typed only. */
  profile?(progress: Progress): Readonly<Record<string, string>> | undefined
  /** The code that a magic link's token unseals. */
  codeUnder?(challenge: Challenge, token: string): string | undefined
  contextualData?(challenge: Challenge): Readonly<Record<string, unknown>> | undefined
}

export interface Started {
  readonly challenge: Challenge
  readonly effects: readonly Effect[]
  /** Budgets that starting costs, with what happens where they are spent. */
  readonly charges?: (outcome: Outcome) => readonly Charge[]
}

/** What is asked before an answer is judged. Nothing of it depends on whether the user exists. */
export interface Admission {
  /** Whether there is an answer to judge at all. */
  readonly isReadable: boolean
  /** Where one of these is spent, the answer is wrong without being judged. */
  readonly uses: readonly Use[]
  readonly refusal: Refusal
}

export type Judgement =
  /** There is nothing to judge: a field is missing or of the wrong type. */
  | { readonly verdict: 'unreadable' }
  | {
      readonly verdict: 'right' | 'wrong'
      /** Right, but too old to go on with: it must be replaced first. */
      readonly expired?: boolean
      /**
       * Budgets that the guess is charged to, and that the visitor sees or could measure. So they are charged by what
       * she saw (the name as typed, the form that was shown), whatever is stored of the account (A52).
       */
      readonly visible?: readonly Use[]
      /** Budgets by account, silent: an answer over one of them is just wrong. */
      readonly budgets: readonly Use[]
      /** A budget that a wrong answer may be the last of, and what happens then besides. */
      readonly last?: {
        readonly budget: Charge['budget']
        readonly subject: string
        readonly effects: readonly Effect[]
      }
      readonly effects: readonly Effect[]
      /** What a wrong answer is answered with. */
      readonly refusal: Refusal
      /** Why it is wrong, for the log alone: a visitor is told the same whatever it is. */
      readonly rule?: string
    }

/** How its credential is replaced. */
export interface Reset {
  fields(policy: Policy): readonly Field[]
  /** Rules to show, as on the wire. */
  settings(rules: PasswordRules): Readonly<Record<string, unknown>>
  /** Judges and prepares the new credential; hashing happens here, outside of any database transaction. */
  accept(
    input: Input,
    context: StepContext,
    person: Person,
  ): Promise<{ readonly refused: Refusal } | { readonly data: unknown }>
}

/** The public id of a kind of proof: the same on every installation, so that it survives restarts and nodes. */
export const authenticatorId = (key: string): string => `aut${publicPart(`authenticator ${key}`)}`

/** The id of a person's own instance of it, made for one conversation: it tells nothing of the person. */
export const enrollmentId = (authenticator: Authenticator, transactionId: string): string =>
  `${authenticator.enrollmentPrefix}${publicPart(`${transactionId} ${authenticator.key}`)}`

const publicPart = (of: string): string => plainHash(of).replace(/[-_]/g, '').slice(0, 17)

/** What a step may look at. */
export interface View {
  readonly progress: Progress
  readonly policy: Policy
  readonly stage: Stage
  readonly authenticators: ReadonlyMap<string, Authenticator>
}

/** What a step works with: read ports and values. It writes nothing; what it wants done stands in its outcome. */
export interface StepContext extends View {
  readonly transactionId: string
  readonly now: number
  readonly random: Random
  readonly secrets: Secrets
  readonly budgets: Budgets
  /** Where the request comes from, as every budget counts it. */
  readonly source: Source
  /** Aborted when the caller has gone. */
  readonly signal?: AbortSignal | undefined
  readonly client: Client
  readonly interaction: Interaction
  /** The subject, read afresh at every step; absent: nobody is known by that name, or nobody was named yet. */
  readonly person: Person | undefined
  readonly directory: {
    findByIdentifier(identifier: string): Promise<Person | undefined>
    credential<Data>(
      personId: string,
      authenticator: string,
    ): Promise<{ readonly data: Data; readonly stored: string; readonly updatedAt: number } | undefined>
  }
  /** A person as she counts now, with the policy that applies to her; for nobody, Everyone's. */
  memberFor(
    personId: string | undefined,
  ): Promise<{ readonly person: Person | undefined; readonly policy: Policy }>
  /** How much of each budget is used, in the order asked for, without charging it. One statement, whoever is asked about. */
  used(uses: readonly Use[]): Promise<readonly number[]>
  /** The same, and when each window ends. */
  peek(uses: readonly Use[]): Promise<readonly Used[]>
  /** Whether the user has signed in from this source, or with this browser, before. */
  isKnownSource(person: Person | undefined): boolean
  /**
   * Claims the transaction for dear work until this submission ends. A second submission of the same transaction meanwhile is
   * answered as one that lost the race for its version: it costs no hash (A51).
   */
  claim(): void
  /** Counts a mail that is about to be queued, by source and by client; refused where there were too many (A57). */
  chargeMail(): Promise<Refusal | undefined>
  /** Where a magic link leads, for its token. */
  linkFor(token: string): string
  /** What this installation calls itself, and its public address. */
  readonly org: { readonly name: string; readonly baseUrl: string }
  /** Lifetimes in milliseconds. */
  readonly lifetimes: { readonly code: number; readonly notice: number }
}
