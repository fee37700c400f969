import { type Clock, systemClock } from '../../base/index.ts'
import { compose } from './compose.ts'
import type { Mailbox, OutgoingMail, Transport } from './transport.ts'

/** A mail that was captured instead of sent, with the bytes that a server would have received. */
export interface SentMail extends OutgoingMail {
  readonly from: Mailbox
  /** The whole message (RFC 5322), headers included. */
  readonly source: Buffer
  /** Epoch milliseconds. */
  readonly sentAt: number
}

export interface MemoryTransport extends Transport {
  /** Oldest first. */
  readonly mails: readonly SentMail[]
  clear(): void
}

/** Captures mails in a list, for tests without SMTP. They are composed by the same code as sent mails. */
export function createMemoryTransport(options: {
  readonly from: Mailbox
  readonly clock?: Clock
  /** Called for each mail before `send` returns. */
  readonly onMail?: (mail: SentMail) => void | Promise<void>
}): MemoryTransport {
  const { from, clock = systemClock, onMail } = options
  const mails: SentMail[] = []

  return {
    name: 'memory',
    mails,
    async send(mail) {
      const sentAt = clock.now()
      const { source } = compose(mail, from, sentAt)
      const sent = { ...mail, from, source, sentAt }
      mails.push(sent)
      await onMail?.(sent)
    },
    clear() {
      mails.length = 0
    },
    verify: async () => {},
    close: async () => {},
  }
}
