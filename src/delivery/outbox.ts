import { type Random, randomId, type Secrets } from '../base/index.ts'
import type { Tx } from '../storage/index.ts'
import type { MailVariables, TemplateName } from './email/templates.ts'
import { endCodeMailsOf, insertMail, makeDue, type StoredMail } from './outbox.store.ts'
import { removeSuppression } from './suppressions.store.ts'

export {
  type Backlog,
  backlogOf,
  countLostNotices,
  forgetMailsOf,
  listMails,
  type MailStatus,
  mailStatuses,
  purgeMails,
  type StoredMail,
  type WaitingMail,
  waitingMailsOf,
} from './outbox.store.ts'

/** A mail as its sender wants it: a template and its values, never a finished text. */
export interface NewMail {
  readonly template: TemplateName
  /** The stored address, or null: a mail for an unknown user, the same write, and dropped by the worker. */
  readonly recipient: string | null
  readonly personId: string | null
  readonly transactionId: string | null
  /** Keyed hash of the source that causes it; absent: the engine itself, or an administrator. */
  readonly source?: string
  readonly variables: MailVariables
  /** When it is of no use any more (epoch milliseconds): then it is closed as expired, not sent late. */
  readonly endsAt: number
  /** The reader's language, such as `de-AT`, or several, the best first; English where none of them is known. */
  readonly locale?: string | undefined
}

interface QueueContext {
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
}

/** How a mail ended: handed over, given up because it can never be delivered, or not delivered in time. */
export type MailOutcome = 'sent' | 'dead' | 'expired'

/** What an attempt counts as. `unanswered`: not answered in time, and it may have arrived. */
export const attemptOutcomes = ['sent', 'dead', 'expired', 'postponed', 'unanswered'] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** What is left of a mail once it is closed: nothing secret. */
export interface ClosedMail {
  readonly id: string
  readonly template: string
  readonly recipient: string | null
  readonly personId: string | null
  readonly transactionId: string | null
  readonly attempts: number
  readonly createdAt: number
  /** What the last attempt failed with. */
  readonly error: string | null
  /** Until when no mail is sent to the address (epoch milliseconds): the server has refused it for good just now. */
  readonly suppressedUntil?: number
}

/** Why a mail cannot be retried. */
export type NotRetried = 'sent' | 'expired' | 'no recipient' | 'in hand' | 'content gone'

/**
 * Makes a dead or waiting mail due at once; a worker of any node sends it. Ends the suppression of its address, which
 * would refuse it again. Answers why not, or undefined for success.
 */
export async function retryMail(tx: Tx, mail: StoredMail, now: number): Promise<NotRetried | undefined> {
  if (await makeDue(tx, mail.id, now)) {
    if (mail.recipient !== null) await removeSuppression(tx, mail.recipient)
    return undefined
  }
  if (mail.status === 'sent') return 'sent'
  if (mail.status === 'expired' || mail.endsAt <= now) return 'expired'
  if (mail.status === 'dropped') return 'no recipient'
  return mail.inHand ? 'in hand' : 'content gone'
}

/**
 * Ends the mails of a user that wait and have a code or a link, in the transaction that ends what they lead to: they must not reach
 * an address that is the user's no more (A59). Answers them.
 */
export async function endCodeMails(tx: Tx, personId: string, now: number): Promise<readonly ClosedMail[]> {
  const error = 'what it leads to has ended'
  const rows = await endCodeMailsOf(tx, personId, { now, error })
  return rows.map((row) => ({
    id: row.id,
    template: row.template,
    recipient: row.recipient,
    personId,
    transactionId: row.transaction_id,
    attempts: row.attempts,
    createdAt: row.created_at,
    error,
  }))
}

const purpose = 'outbox'

interface Sealed {
  readonly locale?: string
  readonly variables: MailVariables
}

/** Puts a mail into the outbox, in the transaction that is the reason for it. Answers its id. Wake the worker after the commit. */
export async function queueMail(tx: Tx, mail: NewMail, context: QueueContext): Promise<string> {
  const id = randomId(context.random, 'mai')
  const sealed: Sealed =
    mail.locale === undefined
      ? { variables: mail.variables }
      : { locale: mail.locale, variables: mail.variables }
  await insertMail(tx, {
    id,
    template: mail.template,
    recipient: mail.recipient,
    person_id: mail.personId,
    transaction_id: mail.transactionId,
    // Codes and links: a dump of the database must not give live ones away.
    sealed: context.secrets.seal(purpose, JSON.stringify(sealed)),
    status: 'queued',
    attempts: 0,
    next_at: context.now,
    lease_owner: null,
    created_at: context.now,
    ends_at: mail.endsAt,
    done_at: null,
    error: null,
    source: mail.source ?? null,
  })
  return id
}

/** What was sealed into a row, or undefined where the key is gone. */
export function openSealed(secrets: Secrets, sealed: string | null): Sealed | undefined {
  const text = sealed === null ? undefined : secrets.open(purpose, sealed)
  return text === undefined ? undefined : (JSON.parse(text) as Sealed)
}
