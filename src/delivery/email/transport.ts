/** The sender of mails. */
export interface Mailbox {
  readonly address: string
  readonly name: string
}

/** A rendered mail to one address. */
export interface OutgoingMail {
  /** The id of the row in the outbox. The Message-ID is derived from it, so a mailbox can merge duplicates. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly template: string
  /** The language of the mail (BCP 47). */
  readonly language: string
}

/** A channel for sending mails. To add one, add a file in this folder that passes the contract tests. */
export interface Transport {
  readonly name: string
  /**
   * Sends the mail. When this resolves, the receiving server is responsible for it.
   * @param signal gives the attempt up: it then rejects at once.
   * @throws MailRefused if it was not accepted, or if it is not known whether it was.
   */
  send(mail: OutgoingMail, signal?: AbortSignal): Promise<void>
  /**
   * Takes the place of `send` for a mail without a recipient: takes as long, fails with the server, and sends nothing.
   * Absent where sending takes no time.
   * @throws MailRefused if the server cannot be reached, as `send` does.
   */
  rehearse?(signal?: AbortSignal): Promise<void>
  /** Checks the connection, encryption and credentials included. @throws if no mail could be sent. */
  verify(): Promise<void>
  close(): Promise<void>
}

/**
 * Why a mail was not accepted:
 * - `address`: the server says for good that there is no such mailbox (final);
 * - `content`: it cannot be sent as it is: too large for the mailbox, or an address that the server cannot write (final);
 * - `refused`: the server says for good no, and not why: it may be about anything, so the address is not suppressed (final);
 * - `policy`: what an administrator of either side mends: relaying, authentication, blocklists, a full mailbox;
 * - `deferred`: the server asks for another attempt (4xx), such as greylisting;
 * - `connection`: there was no session: DNS, TCP, TLS, greeting;
 * - `unanswered`: the whole message was sent and no answer came, so it may have been accepted (RFC 1047).
 */
export const refusalReasons = [
  'address',
  'content',
  'refused',
  'policy',
  'deferred',
  'connection',
  'unanswered',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

const finalReasons: readonly RefusalReason[] = ['address', 'content', 'refused']

/** A mail was not accepted. `permanent` means that a retry is useless. */
export class MailRefused extends Error {
  readonly permanent: boolean
  readonly reason: RefusalReason
  /** An unanswered message: whether the session broke off. Otherwise the server was waited for in vain. */
  readonly brokeOff: boolean

  constructor(
    message: string,
    options: {
      readonly permanent?: boolean
      readonly reason?: RefusalReason
      readonly brokeOff?: boolean
      readonly cause?: unknown
    },
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'MailRefused'
    this.reason = options.reason ?? (options.permanent ? 'content' : 'connection')
    this.permanent = options.permanent ?? finalReasons.includes(this.reason)
    this.brokeOff = options.brokeOff ?? false
  }
}
