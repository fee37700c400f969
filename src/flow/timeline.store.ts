import { type LogEvent, listEvents } from '../audit/index.ts'
import { isoTime } from '../base/index.ts'
import { type WaitingMail, waitingMailsOf } from '../delivery/index.ts'
import type { Db, Row } from '../storage/index.ts'
import type { Progress } from './progress.ts'
import type { StepTaken } from './transactions.store.ts'

/** A transaction as it may be shown: its public id, never its state handle, no hash, no sealed value. */
export interface TransactionSummary {
  readonly id: string
  readonly clientId: string
  readonly personId: string | null
  readonly intent: Progress['intent']
  readonly identifier: string | null
  readonly proofs: readonly string[]
  readonly misses: number
  readonly closed: string | null
  readonly createdAt: string
  readonly updatedAt: string
  readonly expiresAt: string
}

function toSummary(row: Row<'transactions'>): TransactionSummary {
  const progress = JSON.parse(row.progress) as Progress
  return {
    id: row.id,
    clientId: row.client_id,
    personId: progress.subject?.userId ?? null,
    intent: progress.intent,
    identifier: progress.subject?.identifier ?? null,
    proofs: progress.proofs.map(({ authenticator }) => authenticator),
    misses: progress.misses,
    closed: closingOf(progress, row),
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
    expiresAt: isoTime(row.expires_at),
  }
}

/** Why it is over. What was ended from outside is over by that, whatever a visitor has sent to it since (A86). */
function closingOf(progress: Progress, { closed_at: closedAt }: Row<'transactions'>): string | null {
  const isEndedFromOutside = closedAt !== null && (progress.closed === undefined || progress.decoy === true)
  return isEndedFromOutside ? 'superseded' : (progress.closed ?? null)
}

/** Transactions, newest first. */
export async function transactionsOf(db: Db, limit: number): Promise<readonly TransactionSummary[]> {
  const rows = await db
    .selectFrom('transactions')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toSummary)
}

/** One transaction with everything that is known of it. */
export interface Timeline extends TransactionSummary {
  /** The rule that ended it, and when; undefined while it is open. */
  readonly ended: { readonly rule: string; readonly at: string } | undefined
  /** The steps that were taken, the latest hundred of them, oldest first. */
  readonly steps: readonly { readonly step: string; readonly result: string; readonly at: string }[]
  /** Mails that have not left yet. */
  readonly waiting: readonly WaitingMail[]
  /** Its events in the system log, oldest first. */
  readonly events: readonly LogEvent[]
}

/** A transaction's timeline; undefined where there is none. No secret in it. */
export async function timelineOf(db: Db, id: string, now: number): Promise<Timeline | undefined> {
  const row = await db.selectFrom('transactions').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) return undefined
  const events = await listEvents(db, { limit: 1000, transactionId: id })
  const walked = JSON.parse(row.walked) as readonly StepTaken[]
  return {
    ...toSummary(row),
    ended: endOf(row, now),
    steps: walked.map(({ step, result, at }) => ({ step, result, at: isoTime(at) })),
    waiting: await waitingMailsOf(db, id),
    events: events.toReversed(),
  }
}

/** Nothing is written where a time runs out: that a transaction has expired shows in its row alone. */
function endOf(row: Row<'transactions'>, now: number): Timeline['ended'] {
  if (row.closed_at !== null) return { rule: row.ended_by ?? 'superseded', at: isoTime(row.closed_at) }
  return row.expires_at <= now ? { rule: 'expired', at: isoTime(row.expires_at) } : undefined
}
