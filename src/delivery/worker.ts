import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import {
  createLogSampler,
  isoTime,
  type LogSampler,
  ProtocolError,
  randomToken,
  secretVersionOf,
} from '../base/index.ts'
import type { Row, Storage, Tx } from '../storage/index.ts'
import { type Carrier, logoutCarrier, mailCarrier, textCarrier } from './carriers.ts'
import { reasonText } from './email/reason-text.ts'
import { slowFactor } from './email/smtp.ts'
import type { Renderer } from './email/templates.ts'
import { MailRefused, type RefusalReason, type Transport } from './email/transport.ts'
import type { LogoutTransport } from './logout/transport.ts'
import { type Closing, claimMails, closeMail, postponeMail, renewLeases } from './outbox.store.ts'
import { type AttemptOutcome, type ClosedMail, type MailOutcome, openSealed } from './outbox.ts'
import { findSuppression, suppress } from './suppressions.store.ts'
import type { OutboxChannel } from './text/definitions.ts'
import type { TextTransport } from './text/transport.ts'

/** What a worker of either kind is given. */
interface WorkerOptions {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly log: Logger
  /** Called in the database transaction that closes a mail, so its event stands if and only if the mail is closed. For phantoms as well: they cost the same. */
  readonly onClosed?: (tx: Tx, mail: ClosedMail, outcome: MailOutcome) => Promise<void>
  /**
   * Called after each attempt once its result is stored, with the reason where it was refused. Phantoms and mails to
   * suppressed addresses count as sent, so that metrics reveal nothing about a user (A62). One whose time is over, and that
   * was sent whole without an answer before, counts as unanswered: it may have arrived.
   */
  readonly onAttempt?: (
    outcome: AttemptOutcome,
    reason: RefusalReason | undefined,
    channel: OutboxChannel,
  ) => void
  /** Mails in hand at once, besides those that the server takes its time over: `slowFactor` times as many in all. */
  readonly parallel?: number
  /** After how many real milliseconds a mail in hand makes room for another one. */
  readonly slowMs?: number
  /** How often the outbox is looked at without being woken, in real milliseconds. */
  readonly pollMs?: number
  /**
   * A mail leaves after a random while of at most this many milliseconds. Sending takes time that a phantom
   * does not take; at a moment that cannot be foreseen, no later request can feel which it was.
   */
  readonly spreadMs?: number
  /**
   * How long a mail is a worker's before another one may take it, should this one have died. Renewed three times as
   * often while the mail is in hand, so it may be short against the five minutes of a code.
   */
  readonly leaseMs?: number
  /** For how long an address that was refused for good gets no mail; 0: it is tried each time. Numbers are never suppressed. */
  readonly suppressionMs?: number
}

export interface DeliveryOptions extends WorkerOptions {
  readonly transport: Transport
  readonly renderer: Renderer
}

export interface TextDeliveryOptions extends Omit<WorkerOptions, 'suppressionMs'> {
  readonly transport: TextTransport
}

export interface LogoutDeliveryOptions extends Omit<WorkerOptions, 'suppressionMs'> {
  readonly transport: LogoutTransport
}

export interface Delivery {
  /** Says that there may be something to send: after a commit. Returns at once. */
  wake(): void
  /** Settles when nothing is in hand and nothing is due at the clock's present time. */
  idle(): Promise<void>
  /**
   * Takes nothing new, waits for what is in hand for `graceMs` at most, then gives the rest up: what was not sent yet is
   * due at once, for another node; what was sent whole and not answered is put off like every unanswered mail.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

// The request that queued a mail is answered first. Whether there was a recipient must not show in how long
// its answer takes, and sending costs this process more than dropping does.
const afterAnswerMs = 3

const second = 1000
const minute = 60 * second
const longestPause = 15 * minute

/**
 * How long a mail waits after its n-th failed attempt, in milliseconds, at an age: 2, 4, 8 … 60 seconds, so that a
 * mailbox that is greylisted for five minutes gets it within the sixth; after ten minutes half its age, at most a quarter of an hour.
 */
export const pauseAfter = (attempts: number, ageMs: number): number =>
  ageMs < 10 * minute
    ? Math.min(second * 2 ** Math.min(attempts, 20), minute)
    : Math.min(Math.max(ageMs / 2, minute), longestPause)

/**
 * How long a mail waits that was sent whole and not answered: it may have arrived (RFC 1047, report 4). A session that
 * broke off is tried once more soon; a server that does not answer gets at most five copies in the three days of a notice.
 */
const pausesUnanswered = [4 * second, 2 * minute, 15 * minute, 120 * minute, 1440 * minute] as const
const pauseUnanswered = (times: number, brokeOff: boolean): number =>
  pausesUnanswered[Math.min(times + (brokeOff ? 0 : 2), pausesUnanswered.length) - 1] ?? longestPause

interface Hand {
  readonly done: Promise<void>
  slow: boolean
}

/** Starts a worker for mails; texts and calls wait for one of their own. */
export const startDelivery = ({ transport, renderer, ...options }: DeliveryOptions): Delivery =>
  startWorker({ ...options, carrier: mailCarrier(transport, renderer) })

/** Starts a worker for texts and calls. */
export const startTextDelivery = ({ transport, ...options }: TextDeliveryOptions): Delivery =>
  startWorker({ ...options, carrier: textCarrier(transport) })

/** Starts a worker for logout tokens. */
export const startLogoutDelivery = ({ transport, ...options }: LogoutDeliveryOptions): Delivery =>
  startWorker({ ...options, carrier: logoutCarrier(transport) })

type Options = WorkerOptions & { readonly carrier: Carrier }

/**
 * Starts a worker. Any number may work on one database: each row is one worker's at a time, and a worker that dies
 * leaves its rows to the others when the lease ends. A mail leaves at least once; its Message-ID lets a mailbox fold a second.
 */
function startWorker(options: Options): Delivery {
  const { storage, clock, random, log, carrier, parallel = 5, pollMs = 1000, spreadMs = 0 } = options
  const { leaseMs = 15 * second, slowMs = 5 * second } = options
  const owner = randomToken(random)
  const inHand = new Map<string, Hand>()
  /** Mails whose failure to open has been logged and counted, by their ids; bounded. */
  const unopened = new Set<string>()
  const lines = createLogSampler()
  const givingUp = new AbortController()
  let pass: Promise<void> | undefined
  let waking: NodeJS.Timeout | undefined
  let again = false
  /** There may be mails that no slot has claimed, as all were busy. */
  let left = false
  let closed = false

  /** How many mails may be taken. One that the server takes its time over holds no other mail back. */
  function room(): number {
    const quick = [...inHand.values()].filter(({ slow }) => !slow).length
    return Math.min(parallel - quick, parallel * slowFactor - inHand.size)
  }

  /** Takes as many mails as there are hands free. */
  async function takeDue(): Promise<void> {
    do {
      again = false
      const limit = room()
      left = limit < 1
      if (closed || left) return
      await carrier.prepare?.()
      const except = [...inHand.keys()]
      const rows = await claimMails(storage, {
        lane: carrier.lane,
        owner,
        limit,
        leaseMs,
        now: clock.now(),
        except,
      })
      for (const row of rows) take(row)
      left = rows.length === limit
    } while (again)
  }

  function take(row: Row<'outbox'>): void {
    const hand: Hand = { done: handle(row), slow: false }
    inHand.set(row.id, hand)
    const timer = setTimeout(() => {
      hand.slow = true
      if (left) void run()
    }, slowMs).unref()
    void hand.done.then(() => {
      clearTimeout(timer)
      inHand.delete(row.id)
      if (left) void run()
    })
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
      await deliver(options, owner, row, { unopened, lines, signal: givingUp.signal })
    } catch (error) {
      // Neither closed nor put off: its lease runs out, and it is tried again.
      log.error({ err: error, mail: row.id }, 'a mail could not be marked in the outbox')
    }
  }

  async function renew(): Promise<void> {
    const ids = [...inHand.keys()]
    if (ids.length === 0) return
    await renewLeases(storage.db, { owner, ids, until: clock.now() + leaseMs }).catch((error) =>
      log.error({ err: error }, 'the leases of mails could not be renewed'),
    )
  }

  const poll = setInterval(() => void run(), pollMs)
  const heartbeat = setInterval(() => void renew(), leaseMs / 3)
  // A process that has nothing else to do may end: the outbox is durable.
  poll.unref()
  heartbeat.unref()
  void run()

  const allDone = () => Promise.all([...inHand.values()].map(({ done }) => done))

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
        await allDone()
      } while (inHand.size > 0 || pass !== undefined)
    },
    async close({ graceMs = 4000 } = {}) {
      closed = true
      clearInterval(poll)
      clearTimeout(waking)
      await pass
      const within = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref())
      await Promise.race([allDone(), within(graceMs)])
      givingUp.abort()
      await Promise.race([allDone(), within(storeMs)])
      clearInterval(heartbeat)
      lines.close()
    },
  }
}

/** How long a worker that ends may take to store what it gave up. */
const storeMs = 1000

/** For a node that leaves the delivery to others: queued mails stay for them. */
export const leaveDelivery = (_options: object): Delivery => ({
  wake() {},
  idle: async () => {},
  close: async () => {},
})

/** What a worker has for each of its mails. */
interface Working {
  readonly unopened: Set<string>
  readonly lines: LogSampler
  readonly signal: AbortSignal
}

/** One mail: sent and closed, or put off, or given up. */
async function deliver(
  options: Options,
  owner: string,
  row: Row<'outbox'>,
  { unopened, lines, signal }: Working,
): Promise<void> {
  const { storage, clock, log } = options
  if (row.ends_at <= clock.now()) {
    const counts = row.unanswered > 0 ? 'unanswered' : 'expired'
    return close(options, row, 'expired', { message: row.error, counts })
  }
  if (openSealed(options.secrets, row.sealed) === undefined)
    return postponeUnopened(options, owner, row, { unopened, lines })
  const suppression =
    options.carrier.lane === 'mails'
      ? await findSuppression(storage.db, row.recipient, clock.now())
      : undefined
  const failure = await send(options, row, signal, suppression !== undefined)
  if (failure === undefined && suppression !== undefined) {
    const until = isoTime(suppression.expiresAt)
    const message = `no mail is sent to the address until ${until}: ${reasonText(suppression.reason)}`
    return close(options, row, 'dead', { message, counts: 'sent' })
  }
  if (failure === undefined) return close(options, row, 'sent', { message: null })

  const now = clock.now()
  const { reason, message } = failure
  // Each recovery of a stranger can cause several while the server is away: a line a minute for each class (A60).
  const line = { mail: row.id, template: row.template, attempts: row.attempts, reason: message }
  lines.note(`not taken: ${reason}`, (count) =>
    log.warn(
      { ...line, refusal: reason, ...(count > 1 && { count }) },
      count > 1 ? 'mails were not taken' : 'a mail was not taken',
    ),
  )
  if (failure.permanent) return close(options, row, 'dead', failure)
  const unanswered = row.unanswered + (reason === 'unanswered' ? 1 : 0)
  const pause =
    reason === 'unanswered'
      ? pauseUnanswered(unanswered, failure.brokeOff ?? false)
      : signal.aborted
        ? 0
        : pauseAfter(row.attempts, now - row.created_at)
  // Due again at its end at the latest, so that it is closed then and not some time later.
  const nextAt = Math.min(now + pause, Math.max(row.ends_at, now))
  await marked(options, row, () =>
    postponeMail(storage.db, row.id, { owner, nextAt, error: message, unanswered }),
  )
  options.onAttempt?.('postponed', reason, row.channel as OutboxChannel)
}

/** How soon a mail that this node cannot open is due again, for a node that can. */
const unopenedPauseMs = 5000
const mostUnopened = 10_000

/**
 * A mail that was sealed with a secret that is not configured here waits for a node that has it, or for the secret to come
 * back, until its own end. It is counted once, and logged once at most.
 */
async function postponeUnopened(
  options: Options,
  owner: string,
  row: Row<'outbox'>,
  { unopened, lines }: Pick<Working, 'unopened' | 'lines'>,
): Promise<void> {
  const { storage, clock, log, onAttempt } = options
  const now = clock.now()
  const error = `it is sealed with the secret ${secretVersionOf(row.sealed ?? '')}, which is not among those of REKEY_SECRET here`
  const nextAt = Math.min(now + unopenedPauseMs, Math.max(row.ends_at, now))
  await postponeMail(storage.db, row.id, { owner, nextAt, error, unanswered: row.unanswered })
  if (unopened.has(row.id)) return
  if (unopened.size >= mostUnopened) unopened.clear()
  unopened.add(row.id)
  lines.note('unopened', (count) =>
    log.error(
      { mail: row.id, template: row.template, reason: error, ...(count > 1 && { count }) },
      count > 1 ? 'mails cannot be opened: they wait' : 'a mail cannot be opened: it waits',
    ),
  )
  onAttempt?.('postponed', undefined, row.channel as OutboxChannel)
}

interface Failure {
  readonly permanent: boolean
  readonly message: string
  readonly reason?: RefusalReason
  readonly brokeOff?: boolean
}

/**
 * Renders and hands over. What has no recipient, or one that is suppressed, is rendered as well and rehearsed, so that
 * it costs this process the same, takes as long, and waits with the others for a server that is away (A62).
 */
async function send(
  { secrets, carrier }: Options,
  row: Row<'outbox'>,
  signal: AbortSignal,
  isSuppressed: boolean,
): Promise<Failure | undefined> {
  const content = openSealed(secrets, row.sealed)
  if (content === undefined) return { permanent: false, message: 'it cannot be opened' }
  try {
    const to = isSuppressed ? null : row.recipient
    await carrier.carry({ row, to, ...content }, signal)
    return undefined
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    const message = reasonText(words, carrier.secretsOf({ row, ...content }))
    if (!(error instanceof MailRefused)) return { permanent: false, message }
    const { permanent, reason, brokeOff } = error
    return { permanent, message, reason, brokeOff }
  }
}

async function close(
  options: Options,
  row: Row<'outbox'>,
  outcome: MailOutcome,
  {
    message: error,
    reason,
    counts = outcome,
  }: { readonly message: string | null; readonly reason?: RefusalReason; readonly counts?: AttemptOutcome },
): Promise<void> {
  const { storage, clock, carrier, onClosed, onAttempt, suppressionMs = 0 } = options
  const { recipient } = row
  const status: Closing['status'] = recipient === null ? 'dropped' : outcome
  // A refused mail can be retried by an administrator until its row is deleted, a day later.
  const sealed = status === 'dead' ? row.sealed : null
  const closed = await marked(options, row, () =>
    storage.transaction(async (tx) => {
      const now = clock.now()
      const ours = await closeMail(tx, row.id, { status, sealed, now, error })
      if (!ours) return false
      const suppresses = carrier.lane === 'mails' && reason === 'address' && suppressionMs > 0
      const suppressedUntil = suppresses ? now + suppressionMs : undefined
      const personId = row.person_id
      if (suppressedUntil !== undefined && recipient !== null) {
        const why = error ?? ''
        await suppress(tx, {
          address: recipient,
          personId,
          reason: why,
          createdAt: now,
          expiresAt: suppressedUntil,
        })
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
      await onClosed?.(tx, mail, outcome)
      return true
    }),
  )
  if (closed) onAttempt?.(counts, reason, row.channel as OutboxChannel)
}

/** How often, and how long after each other in real milliseconds, the result of a delivery is tried to be stored. */
const markings = { times: 60, pauseMs: 1000 }

/**
 * Stores what became of a mail, again and again while the database is away. The mail stays in hand meanwhile: one whose
 * lease ran out would be sent a second time.
 */
async function marked<T>({ log }: Options, row: Row<'outbox'>, store: () => Promise<T>): Promise<T> {
  for (let time = 1; ; time++) {
    try {
      return await store()
    } catch (error) {
      if (time >= markings.times || !(error instanceof ProtocolError)) throw error
      log.warn({ err: error, mail: row.id }, 'what became of a mail could not be stored yet')
      await new Promise((resolve) => setTimeout(resolve, markings.pauseMs).unref())
    }
  }
}
