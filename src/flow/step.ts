import type { Random, Secrets } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import type { Person } from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { Budgets, Use } from '../limits/index.ts'
import type { Policy } from '../policies/index.ts'
import type { Authenticator } from './authenticator.ts'
import type { Field, Input } from './form.ts'
import type { Outcome } from './outcome.ts'
import type { Progress } from './progress.ts'
import type { Stage } from './stage.ts'

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
  readonly client: Client
  readonly interaction: Interaction
  /** The subject, read afresh at every step; absent: nobody is known by that name, or nobody was named yet. */
  readonly person: Person | undefined
  readonly directory: {
    findByIdentifier(identifier: string): Promise<Person | undefined>
    credential<Data>(
      personId: string,
      authenticator: string,
    ): Promise<{ readonly data: Data; readonly updatedAt: number } | undefined>
  }
  /** A person as she counts now, with the policy that applies to her; for nobody, Everyone's. */
  memberFor(
    personId: string | undefined,
  ): Promise<{ readonly person: Person | undefined; readonly policy: Policy }>
  /** How much of each budget is used, in the order asked for, without charging it. One statement, whoever is asked about. */
  used(uses: readonly Use[]): Promise<readonly number[]>
  /** Where a magic link leads, for its token. */
  linkFor(token: string): string
  /** What this installation calls itself, and its public address. */
  readonly org: { readonly name: string; readonly baseUrl: string }
  /** Lifetimes in milliseconds. */
  readonly lifetimes: { readonly code: number; readonly notice: number }
}

/** One thing a visitor can do: a row of the step table. */
export interface Step {
  /** As on the wire. */
  readonly name: string
  /** Below `/idp/idx/`; steps of different stages may share one. */
  readonly path: string
  /** Where the form stands: among the remediations, on the current authenticator, or at the top. */
  readonly place: 'remediation' | 'authenticator' | 'top'
  /** When it is on offer. */
  readonly stages: readonly Stage[]
  /** A narrower condition: on offer at those stages only where this holds. */
  offered?(view: View): boolean
  /** Accepted wherever it is on offer, but rendered only where this holds. */
  rendered?(view: View): boolean
  fields(view: View): readonly Field[]
  accept(input: Input, context: StepContext): Promise<Outcome>
}

/** The steps on offer: exactly these are rendered, and exactly these are accepted. */
export const onOffer = (steps: readonly Step[], view: View): readonly Step[] =>
  steps.filter((step) => step.stages.includes(view.stage) && (step.offered?.(view) ?? true))
