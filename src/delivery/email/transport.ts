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
   * @throws MailRefused if it was not accepted.
   */
  send(mail: OutgoingMail): Promise<void>
  /** Checks the connection, for health checks. @throws if it is not available. */
  verify(): Promise<void>
  close(): Promise<void>
}

/** A mail was not accepted. `permanent` means that a retry is useless: the address does not exist or is invalid. */
export class MailRefused extends Error {
  readonly permanent: boolean

  constructor(message: string, options: { readonly permanent: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'MailRefused'
    this.permanent = options.permanent
  }
}
