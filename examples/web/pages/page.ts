import type { IdxTransaction, NextStep, OktaAuth } from '@okta/okta-auth-js'
import type { Content } from '../layout.ts'
import { error, type Message } from '../messages.ts'
import type { Words } from '../words.ts'

/** The data for rendering the page of a step. */
export interface View {
  readonly words: Words
  readonly csrf: string
  readonly messages: readonly Message[]
  /** The previous input, empty the first time. Pages never show a password again. */
  readonly field: Field
  /** The transaction and its next step; undefined on a page that begins a transaction. */
  readonly transaction: IdxTransaction | undefined
  readonly step: NextStep | undefined
  /** Seconds until another code may be requested. */
  readonly resendIn: number
  readonly inboxUrl: string | undefined
  readonly codeLifetime: string | undefined
  /** Whether this browser is signed in. */
  readonly signedIn: boolean
}

/** Reads a field of the posted form; empty if it was not sent. */
export type Field = (name: string) => string

/** A posted form, and the client to act on it. */
export interface Submission {
  readonly client: OktaAuth
  readonly field: Field
  readonly words: Words
  readonly step: NextStep | undefined
}

/** The errors that the app finds in a form before anything is sent to the server. */
export interface Refusal {
  readonly refused: readonly Message[]
}

export const refuse = (field: string, text: string): Refusal => ({ refused: [error(text, field)] })

/** A step of the IDX protocol: its page, and the SDK call that answers it. */
export interface StepPage {
  /** The name of the step, `nextStep.name`. */
  readonly step: string
  readonly path: string
  /** The page begins a new transaction instead of continuing one. */
  readonly begins?: true
  render(view: View): Content
  submit(submission: Submission): Promise<IdxTransaction | Refusal> | Refusal
}
