/**
 * One request and its response, in a form that the flow inspector may show to a developer: without handles, codes,
 * tokens, passwords and links. Of a sent value it has a description, such as `6 digits`.
 */
export interface Exchange {
  /** When the response was ready, in epoch milliseconds of the engine's clock. */
  readonly at: number
  readonly durationMs: number
  /**
   * An IDX request, a magic link, the call that begins an interaction, or the one that redeems its code. Of what was
   * refused besides: a visit of `authorize`, another OAuth call, a call of the APIs in Okta's shape, a request that the browser
   * hides from a page of this origin, a path that nothing is served at.
   */
  readonly endpoint:
    | 'idx'
    | 'link'
    | 'interact'
    | 'token'
    | 'authorize'
    | 'oauth'
    | 'api'
    | 'origin'
    | 'unknown'
  readonly method: string
  /** The route's pattern, never the address: a query may carry a token. */
  readonly path: string
  readonly status: number
  readonly sent: Readonly<Record<string, string>>
  /** The names of the forms and actions in the response. */
  readonly offered: readonly string[]
  /** The i18n keys of the response's messages, or the OAuth error. */
  readonly messages: readonly string[]
  /** The public id of the transaction, where it is known. */
  readonly transactionId?: string | undefined
  readonly interactionId?: string | undefined
  readonly clientId?: string | undefined
  /** The step that handled the submission. Absent: no step of that name was offered, or nothing was submitted. */
  readonly step?: string | undefined
  readonly stageBefore?: string | undefined
  readonly stageAfter?: string | undefined
  /** Why it was refused, in more detail than the response has. */
  readonly reason?: string | undefined
  /** Text of the response that helps to correct the request, such as the password rules. */
  readonly hint?: string | undefined
  /** Browser and system, such as `Firefox 140 on Windows`. */
  readonly browser?: string | undefined
  /** The transaction that replaces this one. */
  readonly successorId?: string | undefined
  /** How far the times in tokens are ahead of the host's clock, in milliseconds, where tokens were issued. */
  readonly tokensAheadMs?: number | undefined
}

/** Called with every exchange before its response is sent. Development and tests only, never in production. */
export type ExchangeRecorder = (exchange: Exchange) => void

/** Describes a value without revealing it: `6 digits`, `43 letters and digits`, `a list`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return 'yes or no'
  const text = String(value)
  if (text === '') return 'an empty text'
  const length = [...text].length
  if (/^\d+$/.test(text)) return length === 1 ? '1 digit' : `${length} digits`
  const letters = length === 1 ? '1 character' : `${length} characters`
  return /^[\dA-Za-z]+$/.test(text) ? `${length} letters and digits` : letters
}

/** Describes a password by its length alone, not by its classes of characters. */
export const passwordKind = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? `password of ${[...value].length} characters` : kindOf(value)
