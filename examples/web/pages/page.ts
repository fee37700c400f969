import type { IdxTransaction, NextStep, OktaAuth } from '@okta/okta-auth-js'
import type { Content } from '../layout.ts'
import { error, type Message } from '../messages.ts'
import type { Words } from '../words.ts'

/** What a step's page is drawn from. */
export interface View {
  readonly words: Words
  readonly csrf: string
  readonly messages: readonly Message[]
  /** What was typed before, empty the first time. Pages never show a password again. */
  readonly field: Field
  /** The transaction and its next step; absent on a page that begins a transaction. */
  readonly transaction: IdxTransaction | undefined
  readonly step: NextStep | undefined
  /** Seconds until another code may be asked for. */
  readonly resendIn: number
  readonly inboxUrl: string | undefined
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

/** What the app itself finds wrong with a form, before anything is sent. */
export interface Refusal {
  readonly refused: readonly Message[]
}

export const refuse = (field: string, text: string): Refusal => ({ refused: [error(text, field)] })

/** One step of the IDX protocol: how it looks, and which call of the SDK answers it. */
export interface StepPage {
  /** The step's name, `nextStep.name`. */
  readonly step: string
  readonly path: string
  /** The page begins a new transaction instead of going on with one. */
  readonly begins?: true
  render(view: View): Content
  submit(submission: Submission): Promise<IdxTransaction | Refusal> | Refusal
}
