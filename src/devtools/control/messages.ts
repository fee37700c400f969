import { type Clock, isoTime, systemClock } from '../../base/index.ts'
import { compareKey } from '../../directory/index.ts'
import { type MailContent, readMail } from './mail-content.ts'

/** One mail to one address, as everyone outside sees it. */
export interface Message extends MailContent {
  readonly id: string
  /** The envelope's recipient: who the mail went to, whatever its header says. */
  readonly to: string
  /** ISO time of arrival, on the engine's clock. */
  readonly sentAt: string
}

export interface Waiting {
  /** Only mail to this address; upper and lower case are the same. */
  readonly to?: string
  /** Only mail newer than the one with this id. Without it, one that is already there will do. */
  readonly after?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface MessageReader {
  /** Newest first. */
  all(): readonly Message[]
  to(address: string): readonly Message[]
  latest(filter?: { readonly to?: string }): Message | undefined
  get(id: string): Message | undefined
  /**
   * The newest mail that fits, at once if it is there, else as soon as it comes.
   * @throws NoMessageError when none came in time (5000 ms unless told).
   */
  waitFor(waiting?: Waiting): Promise<Message>
  clear(): void
}

export type InboxChange =
  | { readonly kind: 'arrived'; readonly message: Message }
  | { readonly kind: 'cleared' }

export interface MessageStore extends MessageReader {
  /** Parses a mail and keeps it, once for each recipient. */
  add(source: Buffer, recipients: readonly string[]): Promise<readonly Message[]>
  /** The mail as it came over the wire. */
  source(id: string): Buffer | undefined
  /** Newer than the id, oldest first: what a reader missed. */
  since(id: string): readonly Message[]
  /** Whether an id was ever given out, also when its message is gone. */
  isKnown(id: string): boolean
  /** Tells of every change until the function that it returns is called. */
  subscribe(listener: (change: InboxChange) => void): () => void
  /** How many look on: streams and waits that have not ended. */
  readonly listeners: number
}

/** No mail came in time. Its text says what did come, because the cause is mostly a wrong address. */
export class NoMessageError extends Error {
  constructor(wanted: string, timeoutMs: number, present: readonly Message[]) {
    const others = present.slice(0, 3).map(({ to, subject }) => `"${subject}" to ${to}`)
    const inbox = others.length === 0 ? 'is empty' : `holds ${present.length}, newest ${others.join(', ')}`
    super(`no ${wanted} within ${timeoutMs} ms; the inbox ${inbox}`)
    this.name = 'NoMessageError'
  }
}

const numberOf = (id: string): number => (/^msg\d{10}$/.test(id) ? Number(id.slice(3)) : Number.NaN)
/** As the directory compares: SMTP carries a domain in ASCII, people write it in their own letters. */
const sameAddress = (left: string, right: string): boolean => compareKey(left) === compareKey(right)

/**
 * Keeps mails in memory, bounded in number and in bytes: the oldest go first. Ids count up and are never given
 * out twice, so "newer than" keeps its meaning when the inbox was emptied.
 */
export function createMessages(
  options: { readonly clock?: Clock; readonly capacity?: number; readonly capacityBytes?: number } = {},
): MessageStore {
  const { clock = systemClock, capacity = 2000, capacityBytes = 64 * 1024 * 1024 } = options
  const listeners = new Set<(change: InboxChange) => void>()
  let kept: { readonly message: Message; readonly source: Buffer }[] = []
  let bytes = 0
  let last = 0

  const tell = (change: InboxChange): void => {
    for (const listener of [...listeners]) listener(change)
  }

  function keep(message: Message, source: Buffer): void {
    kept.unshift({ message, source })
    bytes += source.length
    while (kept.length > capacity || (bytes > capacityBytes && kept.length > 1)) {
      bytes -= kept.pop()?.source.length ?? 0
    }
  }

  const store: MessageStore = {
    all: () => kept.map(({ message }) => message),
    to: (address) => store.all().filter((message) => sameAddress(message.to, address)),
    latest: ({ to } = {}) => (to === undefined ? store.all() : store.to(to))[0],
    get: (id) => kept.find(({ message }) => message.id === id)?.message,
    source: (id) => kept.find(({ message }) => message.id === id)?.source,
    since: (id) =>
      store
        .all()
        .filter((message) => numberOf(message.id) > numberOf(id))
        .reverse(),
    isKnown: (id) => numberOf(id) > 0 && numberOf(id) <= last,
    clear() {
      kept = []
      bytes = 0
      tell({ kind: 'cleared' })
    },
    async add(source, recipients) {
      const content = await readMail(source)
      const sentAt = isoTime(clock.now())
      const messages = recipients.map((to): Message => {
        last += 1
        return { id: `msg${String(last).padStart(10, '0')}`, to, ...content, sentAt }
      })
      for (const message of messages) {
        keep(message, source)
        tell({ kind: 'arrived', message })
      }
      return messages
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get listeners() {
      return listeners.size
    },
    waitFor: (waiting) => waitFor(store, waiting),
  }
  return store
}

function waitFor(store: MessageStore, waiting: Waiting = {}): Promise<Message> {
  const { to, after, timeoutMs = 5000, signal } = waiting
  const fits = (message: Message): boolean =>
    (to === undefined || sameAddress(message.to, to)) &&
    (after === undefined || numberOf(message.id) > numberOf(after))

  return new Promise((resolve, reject) => {
    const present = store.all().find(fits)
    if (present) return resolve(present)
    if (signal?.aborted) return reject(signal.reason)

    const end = (settle: () => void): void => {
      clearTimeout(timer)
      unsubscribe()
      signal?.removeEventListener('abort', giveUp)
      settle()
    }
    const giveUp = (): void => end(() => reject(signal?.reason))
    const timer = setTimeout(() => {
      const wanted = `${after ? 'newer mail' : 'mail'}${to === undefined ? '' : ` to ${to}`}`
      end(() => reject(new NoMessageError(wanted, timeoutMs, store.all())))
    }, timeoutMs)
    const unsubscribe = store.subscribe((change) => {
      if (change.kind === 'arrived' && fits(change.message)) end(() => resolve(change.message))
    })
    signal?.addEventListener('abort', giveUp)
  })
}
