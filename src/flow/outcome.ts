import type { NewEvent } from '../audit/index.ts'
import type { NewMail, NewText } from '../delivery/index.ts'
import type { NewEnrollment, Person, PersonChanges, PersonStatus, UserVersion } from '../directory/index.ts'
import type { Budget } from '../limits/index.ts'
import type { Progress, Registration } from './progress.ts'

/** A message to the visitor: the protocol's own key where it has one; the words stand in the message table. */
export interface Message {
  readonly key: string
  readonly params?: readonly (string | number)[]
}

/** The visitor's answer is not accepted. A value: it commits, and the form comes back with the message. */
export interface Refusal extends Message {
  readonly status: number
  /** Path of the field the message belongs to; absent: it is about the whole step. */
  readonly field?: string
  /** What else is wrong, each in its field: of a form with several. */
  readonly besides?: readonly (Message & { readonly field: string })[]
  /** When it is worth trying again, in epoch milliseconds. */
  readonly retryAt?: number
}

/** Which unfinished user a sign-up takes the place of. */
export interface Replacing {
  /** One that was made before this moment, in epoch milliseconds. */
  readonly before: number
  /** Only one with the same mailbox: it is what was proven. Otherwise none who has proven a mailbox. */
  readonly sameMailbox: boolean
}

/** What a step wants to happen, as plain data. The commit carries it out in one database transaction, or not at all. */
export type Effect =
  | {
      readonly type: 'mail.queue'
      /** Without a recipient it is written all the same, so that unknown users cost the same (A02). */
      readonly mail: Omit<NewMail, 'transactionId'>
    }
  /** A text or a call. Without a recipient it is written all the same, as a mail is (A02). */
  | { readonly type: 'text.queue'; readonly message: Omit<NewText, 'transactionId' | 'source'> }
  /**
   * The user of a registration, PROVISIONED, before every other effect. A user who has one of the names by then stays, and
   * the outcome is that it is taken; except one whose own sign-up never ended, who may give way.
   */
  | {
      readonly type: 'person.create'
      readonly person: Person
      readonly groupIds: readonly string[]
      readonly replaces: Replacing
      readonly terms?: NonNullable<Registration['terms']>
    }
  | { readonly type: 'enrollment.put'; readonly enrollment: NewEnrollment }
  /**
   * The user does not have this enrollment any more; where it was gone before, the answer is checked anew. Raises the user's
   * version, is recorded and notified of, as every change of a factor (A59, A69).
   */
  | {
      readonly type: 'enrollment.remove'
      readonly personId: string
      readonly id: string
      /** Whose it is, for the record and the notice. */
      readonly authenticator: string
    }
  /** The same secret in another form, in place of exactly what was read: never over another one. */
  | {
      readonly type: 'enrollment.rehash'
      readonly id: string
      readonly from: string
      readonly data: unknown
    }
  /**
   * Something of an enrollment is used up: its data become these in place of exactly what was read, or the answer is
   * checked anew. It stays the same secret, so no version changes.
   */
  | { readonly type: 'enrollment.spend'; readonly id: string; readonly from: string; readonly data: unknown }
  /** A code or signature is used up: the counter rises to this, or the answer is checked anew. */
  | { readonly type: 'enrollment.advance'; readonly id: string; readonly counter: number }
  /** A required enrolment is put off once more, `most` times in all; or the answer is checked anew. */
  | {
      readonly type: 'enrollment.skip'
      readonly personId: string
      readonly authenticator: string
      readonly most: number
    }
  /** An enrollment that counts nothing was used. */
  | { readonly type: 'enrollment.use'; readonly id: string }
  | {
      readonly type: 'person.update'
      readonly personId: string
      readonly changes: PersonChanges
      /** Only where the user has one of these statuses by then. */
      readonly from?: readonly PersonStatus[]
    }
  /** The user allows a client these scopes; `leaves` is what is left of the request where some were left out. */
  | {
      readonly type: 'consent.give'
      readonly personId: string
      readonly clientId: string
      readonly scopes: readonly string[]
      /** Optional ones that the user does not allow: remembered until the app asks for consent anew. */
      readonly leftOut: readonly string[]
      readonly leaves?: string
    }
  | { readonly type: 'codes.end'; readonly personId: string }
  /** A token of an activation that a mail of the same outcome contains, in place of those before it. */
  | {
      readonly type: 'activation.issue'
      readonly personId: string
      readonly token: string
      readonly mailedTo: string
    }
  | { readonly type: 'budget.clear'; readonly budget: Budget; readonly subject: string }
  | { readonly type: 'sessions.revoke'; readonly personId: string }
  /**
   * The mailbox of an account that a visitor made without proving it has been proven: nothing that was in it before gives access any more,
   * but what this transaction has enrolled (A63). Anything else under way about the user ends.
   */
  | { readonly type: 'account.claim'; readonly person: Person }
  | { readonly type: 'audit.record'; readonly event: NewEvent }

/** A use of a budget, charged in the database transaction that writes; where it is used up, `otherwise` happens instead. */
export interface Charge {
  readonly budget: Budget
  readonly subject: string
  /** The use turned out to be free (a right answer): it needs room in the budget but takes none. */
  readonly free?: boolean
  /**
   * Free, and counted by account: the caller holds the user's row, which every answer about the same user waits for, so
   * that reading is as exact as locking the budget.
   */
  readonly ofUser?: boolean
  /** Of a budget in shards: how much was used, and until when, as read when the answer was checked. */
  readonly read?: { readonly used: number; readonly resetsAt: number }
  readonly otherwise: Outcome
  /** What is recorded, once a window, when it is used up. Only of budgets that say the same about every name. */
  readonly announces?: 'system.operation.rate_limit.violation' | 'security.attack.start'
}

/** What a step makes of an answer. */
export interface Outcome {
  readonly progress: Progress
  /**
   * The user that this was computed from, as read first. Absent: the subject, as loaded. A step that names a user and
   * checks an answer at once must set it, for a wrong answer leaves no subject.
   */
  readonly user?: UserVersion
  readonly effects?: readonly Effect[]
  readonly charges?: readonly Charge[]
  readonly refused?: Refusal
  /** A message that comes with a good answer. */
  readonly notice?: Message
  /** The rule that refused or ended, by its name in the system log; never shown to visitors. */
  readonly rule?: string
}
