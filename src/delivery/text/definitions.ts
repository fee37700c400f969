/** By what a message of the outbox leaves. */
export const channels = ['email', 'sms', 'voice'] as const
export type Channel = (typeof channels)[number]
/** What a row of the outbox is: a message to a user, or a logout token for an app. */
export type OutboxChannel = Channel | 'logout'
/** Text messages and calls. */
export type TextChannel = Exclude<Channel, 'email'>

/**
 * The texts and calls: each carries one code, for what its name says. Their words are the same; services are given the
 * purpose, and the log has it.
 */
export const textTemplates = ['PhoneEnrollment', 'PhoneSignIn', 'PhoneRecovery', 'PhoneUnlock'] as const
export type TextTemplate = (typeof textTemplates)[number]

export interface TextVariables {
  readonly code: string
  /**
   * The host of the page that the code is typed into: browsers fill it in there and nowhere else (WebOTP). Absent: no page of
   * a browser.
   */
  readonly host?: string | undefined
  /** The name of the installation. */
  readonly org: string
  /** How long the code is good, in milliseconds. */
  readonly lifetimeMs: number
  /** Of the user, for the service that sends: absent for an unknown user. */
  readonly user?: {
    readonly id: string
    readonly login: string
    readonly firstName?: string | undefined
    readonly lastName?: string | undefined
  }
}
