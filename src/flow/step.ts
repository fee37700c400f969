import type { StepContext, View } from './authenticator.ts'
import type { Field, Input } from './form.ts'
import type { Outcome } from './outcome.ts'
import type { Stage } from './stage.ts'

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
