import type { IdxMessage, IdxTransaction, Input } from '@okta/okta-auth-js'
import type { Words } from './words.ts'

/** Something to tell the person: about one field, or about the page as a whole. */
export interface Message {
  readonly kind: 'error' | 'info'
  readonly text: string
  readonly field?: string
}

export const error = (text: string, field?: string): Message => ({
  kind: 'error',
  text,
  ...(field !== undefined && { field }),
})

export const info = (text: string): Message => ({ kind: 'info', text })

// The SDK hands a field's messages on with the field, but its types do not say so.
const belongsTo = (input: Input & { messages?: { value?: IdxMessage[] } }, { message }: IdxMessage) =>
  input.messages?.value?.some((own) => own.message === message) ?? false

/** What the server has to say, each message with the field it is about. */
export const messagesOf = (transaction: IdxTransaction, words: Words): Message[] =>
  (transaction.messages ?? []).map((message) => {
    const field = transaction.nextStep?.inputs?.find((input) => belongsTo(input, message))?.name
    const text = words.messages[message.i18n?.key] ?? message.message
    return { kind: message.class === 'ERROR' ? 'error' : 'info', text, ...(field !== undefined && { field }) }
  })

export const hasKey = (transaction: IdxTransaction, ...keys: readonly string[]) =>
  transaction.messages?.some((message) => keys.includes(message.i18n?.key)) ?? false
