/** Who mails come from. */
export interface Mailbox {
  readonly address: string
  readonly name: string
}

/** A rendered mail on its way to one address. */
export interface OutgoingMail {
  /** The outbox row's id; the Message-ID derives from it, so a mailbox can fold a mail that came twice. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly template: string
  /** The language it is written in (BCP 47). */
  readonly language: string
}

/** A way out for mails. Another one is another file in this folder that passes the contract suite. */
export interface Transport {
  readonly name: string
  /**
   * Hands the mail over; when this returns, somebody else is answerable for it.
   * @throws MailRefused when it was not taken.
   */
  send(mail: OutgoingMail): Promise<void>
  /** Whether the way out is open now, for health checks. @throws when it is not. */
  verify(): Promise<void>
  close(): Promise<void>
}

/** A mail was not taken. `permanent` means that trying again is no use: the address does not exist, or is none. */
export class MailRefused extends Error {
  readonly permanent: boolean

  constructor(message: string, options: { readonly permanent: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'MailRefused'
    this.permanent = options.permanent
  }
}
