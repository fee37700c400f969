import type { TextChannel, TextTemplate, TextVariables } from './definitions.ts'

/** A rendered text or call to one number. */
export interface OutgoingText {
  /** The id of the row in the outbox. */
  readonly id: string
  readonly channel: TextChannel
  /** E.164; of a call perhaps with an extension: `+15551234567x12`. */
  readonly to: string
  readonly template: TextTemplate
  readonly text: string
  /** The language of the text (BCP 47). */
  readonly language: string
  readonly variables: TextVariables
  /** When the code ends (epoch milliseconds). */
  readonly endsAt: number
}

/** What sends texts and calls. To add one, add a file in this folder that passes the contract tests. */
export interface TextTransport {
  readonly name: string
  /**
   * Hands a text or call over. When this resolves, the service is responsible for it.
   * @param signal gives the attempt up: it then rejects at once.
   * @throws MailRefused if it was not accepted, or if it is not known whether it was.
   */
  send(text: OutgoingText, signal?: AbortSignal): Promise<void>
  /**
   * Takes the place of `send` where there is no number: takes as long, fails with the service, and sends nothing (A62).
   * Absent where sending takes no time.
   */
  rehearse?(signal?: AbortSignal): Promise<void>
  /** Checks that the service can be reached; sends nothing. @throws if it cannot. */
  verify(): Promise<void>
}
