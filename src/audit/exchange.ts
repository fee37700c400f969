/**
 * One request and its answer, as it may be shown to whoever develops an app: no handle, code, token, password or link
 * is in it. What was sent stands under its name as the kind of thing it was, such as `6 digits`.
 */
export interface Exchange {
  /** When it was answered, in epoch milliseconds of the engine's clock. */
  readonly at: number
  readonly durationMs: number
  /** An IDX request, the link of a mail, the call that begins an interaction, or the one that redeems its code. */
  readonly endpoint: 'idx' | 'link' | 'interact' | 'token'
  readonly method: string
  /** The route's pattern, never the address: a query may carry a token. */
  readonly path: string
  readonly status: number
  readonly sent: Readonly<Record<string, string>>
  /** The forms and actions that the answer offered. */
  readonly offered: readonly string[]
  /** The keys of the answer's messages, or OAuth's error. */
  readonly messages: readonly string[]
  /** The public id of the conversation, where one is known. */
  readonly transactionId?: string | undefined
  readonly interactionId?: string | undefined
  readonly clientId?: string | undefined
  /** The step that took the submission; absent: none was on offer, or nothing was submitted. */
  readonly step?: string | undefined
  readonly stageBefore?: string | undefined
  readonly stageAfter?: string | undefined
  /** Why it was refused, for developers; visitors are told less. */
  readonly reason?: string | undefined
  /** Words of the answer that help to mend the request, such as the rules for passwords. */
  readonly hint?: string | undefined
  /** Browser and system, such as `Firefox 140 on Windows`. */
  readonly browser?: string | undefined
  /** The conversation that goes on in place of this one. */
  readonly successorId?: string | undefined
  /** How far the times in tokens are ahead of the host's clock, in milliseconds, where tokens were made. */
  readonly tokensAheadMs?: number | undefined
}

/** Told of every exchange, before its answer leaves. Development and tests only: production observes nothing. */
export type Observe = (exchange: Exchange) => void

/** What a value is, without the value: `6 digits`, `43 letters and digits`, `a list`. */
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

/** A password's kind tells its length and nothing of its letters. */
export const passwordKind = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? `password of ${[...value].length} characters` : kindOf(value)
