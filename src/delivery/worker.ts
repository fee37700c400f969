import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import { createLogSampler, isoTime, type LogSampler, randomToken, secretVersionOf } from '../base/index.ts'
import type { Row, Storage } from '../storage/index.ts'
import { type Carrier, logoutCarrier, mailCarrier, textCarrier } from './carriers.ts'
import { type Closer, createCloser, marked, type OnClosed } from './closing.ts'
import { reasonText } from './email/reason-text.ts'
import { slowFactor } from './email/smtp.ts'
import type { Renderer } from './email/templates.ts'
import { MailRefused, type RefusalReason, type Transport } from './email/transport.ts'
import type { LogoutTransport } from './logout/transport.ts'
import { claimMails, postponeMail, releaseMails, renewLeases } from './outbox.store.ts'
import { type AttemptOutcome, type MailOutcome, openSealed, type Sealed } from './outbox.ts'
import { findSuppressions, type Suppression } from './suppressions.store.ts'
import type { OutboxChannel } from './text/definitions.ts'
import type { TextTransport } from './text/transport.ts'

/** What a worker of either kind is given. */
interface WorkerOptions {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly log: Logger
  /** Called in the database transaction that closes mails, so their events stand if and only if they are closed. For phantoms as well: they cost the same. */
  readonly onClosed?: OnClosed
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

/** A mail that this worker has claimed. */
interface Hand {
  readonly row: Row<'outbox'>
  readonly done: PromiseWithResolvers<void>
  /** `ready`: claimed, and waiting for a connection; `sent`: the server has answered, and the end is being stored. */
  state: 'ready' | 'sending' | 'slow' | 'sent'
  /** Whether its address gets no mail at the moment; `unknown` where that may have changed since it was looked up. */
  suppression: Suppression | undefined | 'unknown'
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
  const closer = createCloser({
    ...{ storage, clock, log, suppressionMs: options.suppressionMs ?? 0 },
    ...(options.onClosed && { onClosed: options.onClosed }),
  })
  /** Mails whose failure to open has been logged and counted, by their ids; bounded. */
  const unopened = new Set<string>()
  const lines = createLogSampler()
  const givingUp = new AbortController()
  const working: Working = {
    ...{ options, owner, closer, unopened, lines, signal: givingUp.signal },
    onSuppressed() {
      // There may be more mails to the address among those that wait.
      for (const hand of inState('ready')) hand.suppression = 'unknown'
    },
  }
  let pass: Promise<void> | undefined
  let waking: NodeJS.Timeout | undefined
  let again = false
  /** There may be mails that were not claimed, as there was no room. */
  let left = false
  let closed = false

  const inState = (...states: readonly Hand['state'][]): Hand[] =>
    [...inHand.values()].filter(({ state }) => states.includes(state))

  /** How many mails may be begun. One that the server takes its time over holds no other mail back. */
  function room(): number {
    const [quick, slow] = [inState('sending').length, inState('slow').length]
    // Where the database is slow, no more is sent than can be stored: what is sent and not closed is sent again after a kill.
    const unstored = Math.max(0, closer.waiting - carrier.ahead)
    return Math.min(parallel - quick, parallel * slowFactor - quick - slow) - unstored
  }

  /** Takes as many mails as there is room for, and some more that are begun as soon as there is room again. */
  async function takeDue(): Promise<void> {
    do {
      again = false
      beginReady()
      const free = room()
      left = free < 1
      if (closed || left) return
      await carrier.prepare?.()
      const limit = free + carrier.ahead
      const except = [...inHand.keys()]
      const rows = await claimMails(storage, {
        lane: carrier.lane,
        owner,
        limit,
        leaseMs,
        now: clock.now(),
        except,
      })
      await take(rows)
      left = rows.length === limit
    } while (again)
  }

  async function take(rows: readonly Row<'outbox'>[]): Promise<void> {
    if (rows.length === 0) return
    const hands = rows.map(
      (row): Hand => ({ row, done: Promise.withResolvers(), state: 'ready', suppression: 'unknown' }),
    )
    // First: they are this worker's, whatever follows.
    for (const hand of hands) inHand.set(hand.row.id, hand)
    setTimeout(() => void release(hands), readyMs).unref()
    if (carrier.lane !== 'mails') for (const hand of hands) hand.suppression = undefined
    else await lookUpSuppressions(storage, hands, clock.now())
    beginReady()
  }

  function beginReady(): void {
    // Looked up anew for each: to begin one may end it at once, and so begin the next.
    while (!closed && room() > 0) {
      const [next] = inState('ready')
      if (next === undefined) return
      void begin(next)
    }
  }

  async function begin(hand: Hand): Promise<void> {
    hand.state = 'sending'
    const timer = setTimeout(() => {
      if (hand.state === 'sending') hand.state = 'slow'
      makeUseOfRoom()
    }, slowMs).unref()
    try {
      await deliver(working, hand, () => {
        hand.state = 'sent'
        makeUseOfRoom()
      })
    } catch (error) {
      // Neither closed nor put off: its lease runs out, and it is tried again.
      log.error({ err: error, mail: hand.row.id }, 'a mail could not be marked in the outbox')
    }
    clearTimeout(timer)
    putDown(hand)
    makeUseOfRoom()
  }

  function putDown(hand: Hand): void {
    inHand.delete(hand.row.id)
    hand.done.resolve()
  }

  function makeUseOfRoom(): void {
    beginReady()
    if (left && inState('ready').length === 0) void run()
  }

  /** Gives those back that are still not begun: another worker may have room for them. */
  async function release(hands: readonly Hand[]): Promise<void> {
    const ready = hands.filter((hand) => hand.state === 'ready' && inHand.get(hand.row.id) === hand)
    if (ready.length === 0) return
    left = true
    // Not to be begun while it is given back.
    for (const hand of ready) hand.state = 'sent'
    const ids = ready.map(({ row }) => row.id)
    await releaseMails(storage.db, { owner, ids, now: clock.now() }).catch((error) =>
      // They are due when their leases end.
      log.error({ err: error }, 'mails could not be given back to the outbox'),
    )
    for (const hand of ready) putDown(hand)
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

  const allDone = () => Promise.all([...inHand.values()].map(({ done }) => done.promise))

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
        // What was given back, because no connection was free, is due as well.
      } while (inHand.size > 0 || pass !== undefined || left)
    },
    async close({ graceMs = 4000 } = {}) {
      closed = true
      clearInterval(poll)
      clearTimeout(waking)
      await pass
      await release([...inHand.values()])
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

/** After how many real milliseconds a mail that waits for a connection goes back to the outbox. */
const readyMs = second

/** Looks up which of the addresses get no mail at the moment, in one statement. */
async function lookUpSuppressions(storage: Storage, hands: readonly Hand[], now: number): Promise<void> {
  const recipients = hands.map(({ row }) => row.recipient)
  const suppressionOf = await findSuppressions(storage.db, recipients, now)
  for (const hand of hands) hand.suppression = suppressionOf(hand.row.recipient)
}

/** What a worker has for each of its mails. */
interface Working {
  readonly options: Options
  readonly owner: string
  readonly closer: Closer
  readonly unopened: Set<string>
  readonly lines: LogSampler
  readonly signal: AbortSignal
  /** Called once an address is suppressed. */
  readonly onSuppressed: () => void
}

/**
 * One mail: sent and closed, or put off, or given up.
 * @param onAnswered called once nothing of it goes to the server any more: what follows is stored only.
 */
async function deliver(working: Working, hand: Hand, onAnswered: () => void): Promise<void> {
  const { options, owner, lines, signal } = working
  const { storage, clock, log } = options
  const { row } = hand
  if (row.ends_at <= clock.now()) {
    onAnswered()
    const counts = row.unanswered > 0 ? 'unanswered' : 'expired'
    return close(working, row, 'expired', { message: row.error, counts })
  }
  const content = openSealed(options.secrets, row.sealed)
  if (content === undefined) {
    onAnswered()
    return postponeUnopened(working, row)
  }
  if (hand.suppression === 'unknown') await lookUpSuppressions(storage, [hand], clock.now())
  const suppression = hand.suppression === 'unknown' ? undefined : hand.suppression
  const failure = await send(options, row, content, signal, suppression !== undefined)
  onAnswered()
  if (failure === undefined && suppression !== undefined) {
    const until = isoTime(suppression.expiresAt)
    const message = `no mail is sent to the address until ${until}: ${reasonText(suppression.reason)}`
    return close(working, row, 'dead', { message, counts: 'sent' })
  }
  if (failure === undefined) return close(working, row, 'sent', { message: null })

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
  if (failure.permanent) return close(working, row, 'dead', failure)
  const unanswered = row.unanswered + (reason === 'unanswered' ? 1 : 0)
  const pause =
    reason === 'unanswered'
      ? pauseUnanswered(unanswered, failure.brokeOff ?? false)
      : signal.aborted
        ? 0
        : pauseAfter(row.attempts, now - row.created_at)
  // Due again at its end at the latest, so that it is closed then and not some time later.
  const nextAt = Math.min(now + pause, Math.max(row.ends_at, now))
  await marked(log, [hand], () =>
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
  { options, owner, unopened, lines }: Working,
  row: Row<'outbox'>,
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
  { carrier }: Options,
  row: Row<'outbox'>,
  content: Sealed,
  signal: AbortSignal,
  isSuppressed: boolean,
): Promise<Failure | undefined> {
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
  { options, closer, onSuppressed }: Working,
  row: Row<'outbox'>,
  outcome: MailOutcome,
  {
    message: error,
    reason,
    counts = outcome,
  }: { readonly message: string | null; readonly reason?: RefusalReason; readonly counts?: AttemptOutcome },
): Promise<void> {
  const { carrier, onAttempt, suppressionMs = 0 } = options
  const suppresses = carrier.lane === 'mails' && reason === 'address' && suppressionMs > 0
  const isOurs = await closer.close({ row, outcome, error, suppresses })
  if (suppresses) onSuppressed()
  if (isOurs) onAttempt?.(counts, reason, row.channel as OutboxChannel)
}
