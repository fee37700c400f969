import { type Random, randomId, type Secrets } from '../base/index.ts'
import { type Tx, withCommit } from '../storage/index.ts'
import type { MailVariables, TemplateName } from './email/templates.ts'
import type { LogoutVariables } from './logout/transport.ts'
import { endCodeMailsOf, insertMail, makeDue, type StoredMail } from './outbox.store.ts'
import { removeSuppression } from './suppressions.store.ts'
import type { OutboxChannel, TextChannel, TextTemplate, TextVariables } from './text/definitions.ts'

export {
  type Backlog,
  backlogOf,
  countLostNotices,
  forgetMailsOf,
  type Lane,
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

/** A text or call as its sender wants it: the code and what it is for, never a finished text. */
export interface NewText {
  readonly channel: TextChannel
  readonly template: TextTemplate
  /**
   * The number in E.164, or null: for an unknown user, or one who may get none; the same write, and dropped by the worker.
   */
  readonly recipient: string | null
  readonly personId: string | null
  readonly transactionId: string | null
  /** Keyed hash of the source that causes it; absent: an administrator. */
  readonly source?: string
  readonly variables: TextVariables
  /** When the code ends (epoch milliseconds): then it is closed as expired, not sent late. */
  readonly endsAt: number
  /** The reader's language, or several, the best first; English where none of them is known. */
  readonly locale?: string | undefined
}

/** The end of a session, for the app that it was at. */
export interface NewLogout extends LogoutVariables {
  readonly clientId: string
  readonly personId: string
  /** Until when it is tried (epoch milliseconds). */
  readonly endsAt: number
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
  readonly channel: OutboxChannel
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
    channel: row.channel as OutboxChannel,
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

/** What is sealed into a row: of a mail, of a text or call, or of a logout token. */
export interface Sealed {
  readonly locale?: string
  readonly variables: MailVariables | TextVariables | LogoutVariables
}

/** Puts a mail into the outbox, in the transaction that is the reason for it. Answers its id. Wake the worker after the commit. */
export const queueMail = (tx: Tx, mail: NewMail, context: QueueContext): Promise<string> =>
  queue(tx, { ...mail, channel: 'email' }, context, 'mai')

/** The same for a text or a call. */
export const queueText = (tx: Tx, text: NewText, context: QueueContext): Promise<string> =>
  queue(tx, text, context, 'txt')

/** The same for a logout token. It is made when it is sent: what waits says no more than whose session has ended where. */
export const queueLogout = (
  tx: Tx,
  { clientId, personId, endsAt, sessionId, issuer }: NewLogout,
  context: QueueContext,
): Promise<string> =>
  queue(
    tx,
    {
      ...{ channel: 'logout', template: 'LogoutToken', recipient: clientId, personId, endsAt },
      transactionId: null,
      // An app with a thousand of them holds back one that has a single one by no more than what is in hand.
      source: clientId,
      variables: { sessionId, issuer },
    },
    context,
    'lgo',
  )

/** What a row of any kind is made of. */
type NewMessage = Omit<NewMail, 'template' | 'variables'> & {
  readonly channel: OutboxChannel
  readonly template: string
  readonly variables: Sealed['variables']
}

async function queue(
  tx: Tx,
  message: NewMessage,
  { random, secrets, now }: QueueContext,
  prefix: string,
): Promise<string> {
  const id = randomId(random, prefix)
  const { locale, variables } = message
  const sealed: Sealed = locale === undefined ? { variables } : { locale, variables }
  const row = {
    id,
    template: message.template,
    recipient: message.recipient,
    person_id: message.personId,
    transaction_id: message.transactionId,
    // Codes and links: a dump of the database must not give live ones away.
    sealed: secrets.seal(purpose, JSON.stringify(sealed)),
    status: 'queued',
    attempts: 0,
    next_at: now,
    lease_owner: null,
    created_at: now,
    ends_at: message.endsAt,
    done_at: null,
    error: null,
    source: message.source ?? null,
    channel: message.channel,
  }
  await withCommit(tx, insertMail(tx, row))
  return id
}

/** What was sealed into a row, or undefined where the key is gone. */
export function openSealed(secrets: Secrets, sealed: string | null): Sealed | undefined {
  const text = sealed === null ? undefined : secrets.open(purpose, sealed)
  return text === undefined ? undefined : (JSON.parse(text) as Sealed)
}
