import { type Clock, type Logger, ProtocolError } from '../base/index.ts'
import type { Row, Storage, Tx } from '../storage/index.ts'
import { type Closing, closeMails } from './outbox.store.ts'
import type { ClosedMail, MailOutcome } from './outbox.ts'
import { suppress } from './suppressions.store.ts'
import type { OutboxChannel } from './text/definitions.ts'

/** A mail that has come to its end, and the end. */
export interface MailEnd {
  readonly mail: ClosedMail
  readonly outcome: MailOutcome
}

/** Called in the database transaction that closes mails, with those that it closes. */
export type OnClosed = (tx: Tx, ends: readonly MailEnd[]) => Promise<void>

/** What is to be stored of a mail. */
export interface Ending {
  readonly row: Row<'outbox'>
  readonly outcome: MailOutcome
  readonly error: string | null
  /** Whether its address gets no mail for a while from now on. */
  readonly suppresses: boolean
}

/** Closes mails: those that end while one transaction is under way share the next. */
export interface Closer {
  /** Settles when it is stored: true where this worker has closed it, false where another one had. Rejects where it could not be. */
  close(ending: Ending): Promise<boolean>
  /** How many wait for it. */
  readonly waiting: number
}

interface CloserOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Logger
  readonly onClosed?: OnClosed
  readonly suppressionMs?: number
}

/** The most that one statement closes: it locks their rows until the commit. */
const mostAtOnce = 50

interface Pending extends Ending {
  readonly stored: PromiseWithResolvers<boolean>
}

export function createCloser(options: CloserOptions): Closer {
  const pending: Pending[] = []
  let inWork = 0

  let isWorking = false
  async function work(): Promise<void> {
    isWorking = true
    // After those whose answers came in the same piece of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    while (pending.length > 0) {
      const batch = pending.splice(0, mostAtOnce)
      inWork = batch.length
      await storeAll(options, batch)
      inWork = 0
    }
    // With nothing awaited since the last look: what ends from now on begins anew.
    isWorking = false
  }

  return {
    get waiting() {
      return pending.length + inWork
    },
    close(ending) {
      const stored = Promise.withResolvers<boolean>()
      pending.push({ ...ending, stored })
      if (!isWorking) void work()
      return stored.promise
    },
  }
}

async function storeAll(options: CloserOptions, batch: readonly Pending[]): Promise<void> {
  try {
    const closed = await marked(options.log, batch, () => store(options, batch))
    for (const { row, stored } of batch) stored.resolve(closed.has(row.id))
  } catch (error) {
    if (batch.length === 1) for (const { stored } of batch) stored.reject(error)
    // One that cannot be stored must not hold the others back: they would be sent again.
    else for (const one of batch) await storeAll(options, [one])
  }
}

/** Answers the ids of those that were closed. */
const store = (
  { storage, clock, onClosed, suppressionMs = 0 }: CloserOptions,
  batch: readonly Ending[],
): Promise<ReadonlySet<string>> =>
  storage.transaction(async (tx) => {
    const now = clock.now()
    const closed = await closeMails(tx, now, batch.map(closingOf))
    const ours = batch.filter(({ row }) => closed.has(row.id))
    const ends: MailEnd[] = []
    for (const { row, outcome, error, suppresses } of ours) {
      const { recipient, person_id: personId } = row
      const suppressedUntil = suppresses ? now + suppressionMs : undefined
      if (suppressedUntil !== undefined && recipient !== null) {
        const why = { reason: error ?? '', createdAt: now, expiresAt: suppressedUntil }
        await suppress(tx, { address: recipient, personId, ...why })
      }
      const mail: ClosedMail = {
        id: row.id,
        channel: row.channel as OutboxChannel,
        template: row.template,
        recipient,
        personId,
        transactionId: row.transaction_id,
        attempts: row.attempts,
        createdAt: row.created_at,
        error,
        ...(suppressedUntil !== undefined && { suppressedUntil }),
      }
      ends.push({ mail, outcome })
    }
    if (ends.length > 0) await onClosed?.(tx, ends)
    return closed
  })

function closingOf({ row, outcome, error }: Ending): Closing {
  const status: Closing['status'] = row.recipient === null ? 'dropped' : outcome
  // A refused mail can be retried by an administrator until its row is deleted, a day later.
  return { id: row.id, status, sealed: status === 'dead' ? row.sealed : null, error }
}

/** How often, and how long after each other in real milliseconds, the result of a delivery is tried to be stored. */
const markings = { times: 60, pauseMs: 1000 }

/**
 * Stores what became of mails, again and again while the database is away. They stay in hand meanwhile: one whose
 * lease ran out would be sent a second time.
 */
export async function marked<T>(
  log: Logger,
  mails: readonly { readonly row: Row<'outbox'> }[],
  store: () => Promise<T>,
): Promise<T> {
  for (let time = 1; ; time++) {
    try {
      return await store()
    } catch (error) {
      if (time >= markings.times || !(error instanceof ProtocolError)) throw error
      const [first] = mails
      const more = mails.length > 1 && { count: mails.length }
      log.warn({ err: error, mail: first?.row.id, ...more }, 'what became of a mail could not be stored yet')
      await new Promise((resolve) => setTimeout(resolve, markings.pauseMs).unref())
    }
  }
}
