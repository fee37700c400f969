import type { IdxTransaction, NextStep, OktaAuth } from '@okta/okta-auth-js'
import type { Captcha, captchaIn } from '../captcha.ts'
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
  /** Where a link that gives an attempt up leads: the sign-in page, or the page that the attempt was begun on. */
  readonly back: { readonly path: string; readonly label: string }
  /** Whose attempt it is, where that is known before the server says it. */
  readonly username?: string
  /** The other way of sending a code to the phone that is being set up. */
  readonly otherMethod?: 'sms' | 'voice'
  /** The region of the browser, such as `AT`. */
  readonly region?: string
  /** The captcha that the form asks for. */
  readonly captcha?: Captcha | undefined
  /** Whether locked accounts can be opened here; undefined where the server has not said so yet. */
  readonly unlocks?: boolean | undefined
  /** Whether there is a sign-up, in the same way. */
  readonly signsUp?: boolean | undefined
  /** The address of a new account, which a mail goes to; undefined where none is made. */
  readonly newAddress?: string | undefined
  /** The attempt makes a new account. */
  readonly isSignUp?: boolean
}

/** Reads a field of the posted form; empty if it was not sent. */
export type Field = (name: string) => string

/** A posted form, and the client to act on it. */
export interface Submission {
  readonly client: OktaAuth
  readonly field: Field
  readonly words: Words
  readonly step: NextStep | undefined
  /** What the captcha of the form gave: a value for the SDK, among the others. Empty without one. */
  readonly captcha?: ReturnType<typeof captchaIn>
  /** The transaction as it stands; undefined on a page that begins one. */
  readonly transaction?: IdxTransaction | undefined
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
  /** The step may be taken while another one is asked for: the page is shown then, too. */
  readonly besides?: true
  render(view: View): Content
  submit(submission: Submission): Promise<IdxTransaction | Refusal> | Refusal
}
