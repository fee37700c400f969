/** What an app is sent of the end of a session. */
export interface LogoutVariables {
  readonly sessionId: string
  readonly issuer: 'default' | 'org'
}

/** The end of a session at one app, in hand. */
export interface OutgoingLogout extends LogoutVariables {
  /** The id of the row in the outbox, and which attempt it is. */
  readonly id: string
  readonly attempt: number
  readonly clientId: string
  readonly personId: string
}

/** What sends logout tokens to apps. */
export interface LogoutTransport {
  /** Queues what has ended since: called before each look into the outbox. */
  prepare(): Promise<void>
  /**
   * Sends one. When this resolves, the app has ended its session.
   * @param signal gives the attempt up: it then rejects at once.
   * @throws MailRefused if the app has not, or if it is not known whether it has.
   */
  send(logout: OutgoingLogout, signal?: AbortSignal): Promise<void>
}
