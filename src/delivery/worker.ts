import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import { randomToken, secretVersionOf } from '../base/index.ts'
import type { Row, Storage, Tx } from '../storage/index.ts'
import { type Renderer, templateNames } from './email/templates.ts'
import { MailRefused, type Transport } from './email/transport.ts'
import { type Closing, claimMails, closeMail, postponeMail } from './outbox.store.ts'
import { type ClosedMail, type MailOutcome, openSealed } from './outbox.ts'

export interface DeliveryOptions {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly transport: Transport
  readonly renderer: Renderer
  readonly log: Logger
  /** Called in the database transaction that closes a mail, so its event stands if and only if the mail is closed. For phantoms as well: they cost the same. */
  readonly onClosed?: (tx: Tx, mail: ClosedMail, outcome: MailOutcome) => Promise<void>
  /** Called after each attempt once its result is stored. Phantoms count as sent, so that metrics reveal nothing about a user. */
  readonly onAttempt?: (outcome: MailOutcome | 'postponed') => void
  /** Mails in hand at once. */
  readonly parallel?: number
  /** How often the outbox is looked at without being woken, in real milliseconds. */
  readonly pollMs?: number
  /**
   * A mail leaves after a random while of at most this many milliseconds. Sending takes time that a phantom
   * does not take; at a moment that cannot be foreseen, no later request can feel which it was.
   */
  readonly spreadMs?: number
  /** How long a mail is a worker's before another one may take it. Longer than any transport takes. */
  readonly leaseMs?: number
}

export interface Delivery {
  /** Says that there may be something to send: after a commit. Returns at once. */
  wake(): void
  /** Settles when nothing is in hand and nothing is due at the clock's present time. */
  idle(): Promise<void>
  /** Takes nothing new, waits for what is in hand (for `graceMs` at most; what is left is another worker's after its lease). */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

// The request that queued a mail is answered first. Whether there was a recipient must not show in how long
// its answer takes, and sending costs this process more than dropping does.
const afterAnswerMs = 3

const longestError = 500
const longestPause = 15 * 60_000

/** How long a mail waits after its n-th failed attempt: 2 s, 4 s, 8 s … at most a quarter of an hour. */
export const pauseAfter = (attempts: number): number =>
  Math.min(1000 * 2 ** Math.min(attempts, 20), longestPause)

/**
 * Starts a worker. Any number may work on one database: each row is one worker's at a time, and a worker that dies
 * leaves its rows to the others when the lease ends. A mail leaves at least once; its Message-ID lets a mailbox fold a second.
 */
export function startDelivery(options: DeliveryOptions): Delivery {
  const { storage, clock, random, log, parallel = 5, pollMs = 1000, spreadMs = 0, leaseMs = 60_000 } = options
  const owner = randomToken(random)
  const inHand = new Map<string, Promise<void>>()
  /** Mails whose failure to open has been logged and counted, by their ids; bounded. */
  const unopened = new Set<string>()
  let pass: Promise<void> | undefined
  let waking: NodeJS.Timeout | undefined
  let again = false
  /** There may be mails that no slot has claimed, as all were busy. */
  let left = false
  let closed = false

  /** Takes as many mails as there are hands free. */
  async function takeDue(): Promise<void> {
    do {
      again = false
      const limit = parallel - inHand.size
      left = limit < 1
      if (closed || left) return
      const except = [...inHand.keys()]
      const rows = await claimMails(storage, { owner, limit, leaseMs, now: clock.now(), except })
      for (const row of rows) inHand.set(row.id, handle(row))
      left = rows.length === limit
    } while (again)
  }

  function run(): Promise<void> {
    again = true
    pass ??= takeDue()
      // The database may be away for a while. The rows are safe in it; the next look finds them.
      .catch((error) => log.error({ err: error }, 'the outbox could not be read'))
      .finally(() => {
        pass = undefined
        // Woken between the last look and this line.
        if (again) void run()
      })
    return pass
  }

  async function handle(row: Row<'outbox'>): Promise<void> {
    try {
      await deliver(options, owner, row, unopened)
    } catch (error) {
      // Neither closed nor put off: its lease runs out, and it is tried again.
      log.error({ err: error, mail: row.id }, 'a mail could not be marked in the outbox')
    } finally {
      inHand.delete(row.id)
      if (left) void run()
    }
  }

  const poll = setInterval(() => void run(), pollMs)
  // A process that has nothing else to do may end: the outbox is durable.
  poll.unref()
  void run()

  return {
    wake() {
      waking ??= setTimeout(
        () => {
          waking = undefined
          void run()
        },
        afterAnswerMs + (spreadMs * random.bytes(1).readUInt8()) / 256,
      ).unref()
    },
    async idle() {
      do {
        await run()
        await Promise.all(inHand.values())
      } while (inHand.size > 0 || pass !== undefined)
    },
    async close({ graceMs = 4000 } = {}) {
      closed = true
      clearInterval(poll)
      clearTimeout(waking)
      await pass
      const all = Promise.all(inHand.values())
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, graceMs).unref())])
    },
  }
}

/** For a node that leaves the delivery to others: queued mails stay for them. */
export const leaveDelivery = (_options: DeliveryOptions): Delivery => ({
  wake() {},
  idle: async () => {},
  close: async () => {},
})

/** One mail: sent and closed, or put off, or given up. */
async function deliver(
  options: DeliveryOptions,
  owner: string,
  row: Row<'outbox'>,
  unopened: Set<string>,
): Promise<void> {
  const { storage, clock, log } = options
  if (row.ends_at <= clock.now()) return close(options, row, 'expired', row.error)
  if (openSealed(options.secrets, row.sealed) === undefined)
    return postponeUnopened(options, owner, row, unopened)
  const failure = await send(options, row)
  if (failure === undefined) return close(options, row, 'sent', null)

  const now = clock.now()
  log.warn(
    { mail: row.id, template: row.template, attempts: row.attempts, reason: failure.message },
    'a mail was not taken',
  )
  if (failure.permanent) return close(options, row, 'dead', failure.message)
  // Due again at its end at the latest, so that it is closed then and not some time later.
  const nextAt = Math.min(now + pauseAfter(row.attempts), Math.max(row.ends_at, now))
  await postponeMail(storage.db, row.id, { owner, nextAt, error: failure.message })
  options.onAttempt?.('postponed')
}

/** How soon a mail that this node cannot open is due again, for a node that can. */
const unopenedPauseMs = 5000
const mostUnopened = 10_000

/**
 * A mail that was sealed with a secret that is not configured here waits for a node that has it, or for the secret to come
 * back, until its own end (O-H1). It is logged and counted once.
 */
async function postponeUnopened(
  options: DeliveryOptions,
  owner: string,
  row: Row<'outbox'>,
  unopened: Set<string>,
): Promise<void> {
  const { storage, clock, log, onAttempt } = options
  const now = clock.now()
  const error = `it is sealed with the secret ${secretVersionOf(row.sealed ?? '')}, which is not among those of REKEY_SECRET here`
  const nextAt = Math.min(now + unopenedPauseMs, Math.max(row.ends_at, now))
  await postponeMail(storage.db, row.id, { owner, nextAt, error })
  if (unopened.has(row.id)) return
  if (unopened.size >= mostUnopened) unopened.clear()
  unopened.add(row.id)
  log.error({ mail: row.id, template: row.template, reason: error }, 'a mail cannot be opened: it waits')
  onAttempt?.('postponed')
}

/** Renders and hands over. A phantom is rendered as well, so that it costs this process the same. */
async function send(
  { secrets, renderer, transport }: DeliveryOptions,
  row: Row<'outbox'>,
): Promise<{ readonly permanent: boolean; readonly message: string } | undefined> {
  const content = openSealed(secrets, row.sealed)
  if (content === undefined) return { permanent: false, message: 'it cannot be opened' }
  const template = templateNames.find((name) => name === row.template)
  if (template === undefined) return { permanent: true, message: `there is no template ${row.template}` }
  try {
    const rendered = renderer.render({ template, ...content })
    if (row.recipient === null) return undefined
    await transport.send({ id: row.id, to: row.recipient, template, ...rendered })
    return undefined
  } catch (error) {
    const permanent = error instanceof MailRefused && error.permanent
    const message = error instanceof Error ? error.message : String(error)
    return { permanent, message: message.slice(0, longestError) }
  }
}

async function close(
  { storage, clock, onClosed, onAttempt }: DeliveryOptions,
  row: Row<'outbox'>,
  outcome: MailOutcome,
  error: string | null,
): Promise<void> {
  const { recipient } = row
  const status: Closing['status'] = recipient === null ? 'dropped' : outcome
  const closed = await storage.transaction(async (tx) => {
    const ours = await closeMail(tx, row.id, { status, now: clock.now(), error })
    if (!ours) return false
    const mail: ClosedMail = {
      id: row.id,
      template: row.template,
      recipient,
      personId: row.person_id,
      transactionId: row.transaction_id,
      attempts: row.attempts,
      createdAt: row.created_at,
      error,
    }
    await onClosed?.(tx, mail, outcome)
    return true
  })
  if (closed) onAttempt?.(outcome)
}
