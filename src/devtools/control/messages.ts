import { type Clock, isoTime, systemClock } from '../../base/index.ts'
import type { Channel, OutgoingText } from '../../delivery/index.ts'
import { compareKey } from '../../directory/index.ts'
import { type MailContent, readMail } from './mail-content.ts'

/** One mail to one address, or one text or call to one number. */
export interface Message extends MailContent {
  readonly id: string
  readonly channel: Channel
  /** The recipient of the envelope, which may differ from the header; of a text or call the number (E.164). */
  readonly to: string
  /** The ISO time of arrival, by the clock of the engine. */
  readonly sentAt: string
}

export interface Waiting {
  /** Only messages to this address, case-insensitive, or to this number, however it is written. */
  readonly to?: string
  /** Only messages of this channel; absent: of any. */
  readonly channel?: Channel
  /** Only mail of this template, or of one of these, such as `ForgotPassword`: without it a notice matches as well. */
  readonly template?: string | readonly string[]
  /** Only mail newer than the one with this id. Without it, mail that is already there matches too. */
  readonly after?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface MessageReader {
  /** Newest first. */
  all(): readonly Message[]
  to(address: string): readonly Message[]
  latest(filter?: { readonly to?: string; readonly channel?: Channel }): Message | undefined
  get(id: string): Message | undefined
  /**
   * The newest matching mail: at once if it is there, else as soon as it arrives.
   * @throws NoMessageError if none arrives in time (default: 5000 ms).
   */
  waitFor(waiting?: Waiting): Promise<Message>
  clear(): void
}

type InboxChange =
  | { readonly kind: 'arrived'; readonly message: Message }
  | { readonly kind: 'removed'; readonly id: string }
  | { readonly kind: 'cleared' }

export interface MessageStore extends MessageReader {
  /** Parses a mail and stores it, once for each recipient. */
  add(source: Buffer, recipients: readonly string[]): Promise<readonly Message[]>
  /** Stores a text or a call. */
  addText(text: OutgoingText): Message
  /** The bytes of the mail as received; of a text or call its words. */
  source(id: string): Buffer | undefined
  /** Deletes one mail; false if there is none with this id. */
  remove(id: string): boolean
  /** The messages newer than the id, oldest first. */
  since(id: string): readonly Message[]
  /** Whether an id was ever issued, even if its message was deleted. */
  isKnown(id: string): boolean
  /** Calls the listener at every change. Returns a function that unsubscribes. */
  subscribe(listener: (change: InboxChange) => void): () => void
  /** The number of listeners: open streams and waits. */
  readonly listeners: number
}

/** No matching mail arrived in time. The message lists the mails that did, because most causes are a wrong address. */
export class NoMessageError extends Error {
  constructor(wanted: string, timeoutMs: number, present: readonly Message[]) {
    const others = present.slice(0, 3).map(({ to, subject }) => `"${subject}" to ${to}`)
    const inbox = others.length === 0 ? 'is empty' : `holds ${present.length}, newest ${others.join(', ')}`
    super(`no ${wanted} within ${timeoutMs} ms; the inbox ${inbox}`)
    this.name = 'NoMessageError'
  }
}

const numberOf = (id: string): number => (/^msg\d{10}$/.test(id) ? Number(id.slice(3)) : Number.NaN)
/** Compares addresses like the directory: SMTP has domains in ASCII, users may write them in Unicode. */
const sameAddress = (left: string, right: string): boolean =>
  compareKey(left) === compareKey(right) || (isNumber(left) && signsOf(left) === signsOf(right))

/** A plus that arrives in a query without being escaped is a blank. */
const signsOf = (number: string): string => number.replace(/[^\dx]/g, '')
const isNumber = (address: string): boolean => /^\+?\d[\d\s().x-]{5,}$/.test(address.trim())

/** What stands for the subject of a text or call: the first sentence with the name of the installation, behind a greeting. */
const subjectOf = (text: string, org: string): string => {
  const sentences = text.match(/[^\n]+?(?:\.(?=\s)|。|$)/gm)?.map((sentence) => sentence.trim()) ?? []
  return sentences.find((sentence) => sentence.includes(org)) ?? sentences[0] ?? ''
}

/**
 * Stores mails in memory, bounded in number and bytes: the oldest are dropped first. Ids are ascending and never reused,
 * so that "newer than" stays correct after the inbox was emptied.
 */
export function createMessages(
  options: { readonly clock?: Clock; readonly capacity?: number; readonly capacityBytes?: number } = {},
): MessageStore {
  const { clock = systemClock, capacity = 2000, capacityBytes = 64 * 1024 * 1024 } = options
  const listeners = new Set<(change: InboxChange) => void>()
  let entries: { readonly message: Message; readonly source: Buffer }[] = []
  let bytes = 0
  let last = 0

  const notify = (change: InboxChange): void => {
    for (const listener of [...listeners]) listener(change)
  }

  function store(message: Message, source: Buffer): void {
    entries.unshift({ message, source })
    bytes += source.length
    while (entries.length > capacity || (bytes > capacityBytes && entries.length > 1)) {
      bytes -= entries.pop()?.source.length ?? 0
    }
  }

  const messageStore: MessageStore = {
    all: () => entries.map(({ message }) => message),
    to: (address) => messageStore.all().filter((message) => sameAddress(message.to, address)),
    latest: ({ to, channel } = {}) =>
      (to === undefined ? messageStore.all() : messageStore.to(to)).find(
        (message) => channel === undefined || message.channel === channel,
      ),
    get: (id) => entries.find(({ message }) => message.id === id)?.message,
    source: (id) => entries.find(({ message }) => message.id === id)?.source,
    since: (id) =>
      messageStore
        .all()
        .filter((message) => numberOf(message.id) > numberOf(id))
        .reverse(),
    isKnown: (id) => numberOf(id) > 0 && numberOf(id) <= last,
    remove(id) {
      const entry = entries.find(({ message }) => message.id === id)
      if (entry === undefined) return false
      entries = entries.filter((other) => other !== entry)
      bytes -= entry.source.length
      notify({ kind: 'removed', id })
      return true
    },
    clear() {
      entries = []
      bytes = 0
      notify({ kind: 'cleared' })
    },
    async add(source, recipients) {
      const content = await readMail(source)
      const sentAt = isoTime(clock.now())
      const messages = recipients.map((to): Message => {
        last += 1
        return { id: `msg${String(last).padStart(10, '0')}`, channel: 'email', to, ...content, sentAt }
      })
      for (const message of messages) {
        store(message, source)
        notify({ kind: 'arrived', message })
      }
      return messages
    },
    addText({ id: outboxId, channel, to, template, text, variables }) {
      last += 1
      const message: Message = {
        id: `msg${String(last).padStart(10, '0')}`,
        channel,
        to,
        from: variables.org,
        subject: subjectOf(text, variables.org),
        text,
        html: '',
        code: variables.code,
        link: null,
        template,
        sentAt: isoTime(clock.now()),
      }
      // In the form of a mail, so that it can be read, downloaded and traced like one.
      const head = [`Message-ID: <${outboxId}@phone>`, `To: ${to}`, 'Content-Type: text/plain; charset=utf-8']
      store(message, Buffer.from([...head, '', text].join('\r\n')))
      notify({ kind: 'arrived', message })
      return message
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get listeners() {
      return listeners.size
    },
    waitFor: (waiting) => waitFor(messageStore, waiting),
  }
  return messageStore
}

function waitFor(store: MessageStore, waiting: Waiting = {}): Promise<Message> {
  const { to, channel, template, after, timeoutMs = 5000, signal } = waiting
  const fits = (message: Message): boolean =>
    (to === undefined || sameAddress(message.to, to)) &&
    (channel === undefined || message.channel === channel) &&
    (template === undefined || [template].flat().some((one) => one === message.template)) &&
    (after === undefined || numberOf(message.id) > numberOf(after))

  return new Promise((resolve, reject) => {
    const present = store.all().find(fits)
    if (present) return resolve(present)
    if (signal?.aborted) return reject(signal.reason)

    const end = (settle: () => void): void => {
      clearTimeout(timer)
      unsubscribe()
      signal?.removeEventListener('abort', abort)
      settle()
    }
    const abort = (): void => end(() => reject(signal?.reason))
    const timer = setTimeout(() => {
      const what = { email: 'mail', sms: 'text', voice: 'call' }[channel ?? 'email']
      const wanted = `${after ? `newer ${what}` : what}${to === undefined ? '' : ` to ${to}`}`
      end(() => reject(new NoMessageError(wanted, timeoutMs, store.all())))
    }, timeoutMs)
    const unsubscribe = store.subscribe((change) => {
      if (change.kind === 'arrived' && fits(change.message)) end(() => resolve(change.message))
    })
    signal?.addEventListener('abort', abort)
  })
}
