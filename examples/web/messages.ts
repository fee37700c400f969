import type { IdxMessage, IdxTransaction, Input } from '@okta/okta-auth-js'
import type { Words } from './words.ts'

/** A message for the user, about one field or the whole page. */
export interface Message {
  readonly kind: 'error' | 'info'
  readonly text: string
  readonly field?: string
  /** The message key of the server. */
  readonly key?: string
}

export const error = (text: string, field?: string): Message => ({
  kind: 'error',
  text,
  ...(field !== undefined && { field }),
})

export const info = (text: string): Message => ({ kind: 'info', text })

// The SDK returns the messages of a field with the field, but its types lack them.
const belongsTo = (input: Input & { messages?: { value?: IdxMessage[] } }, { message }: IdxMessage) =>
  input.messages?.value?.some((own) => own.message === message) ?? false

/** The messages of the server, each with the field that it is about. */
export const messagesOf = (transaction: IdxTransaction, words: Words): Message[] =>
  (transaction.messages ?? []).map((message) => {
    const field = transaction.nextStep?.inputs?.find((input) => belongsTo(input, message))?.name
    const text = words.messages[message.i18n?.key] ?? message.message
    return {
      kind: message.class === 'ERROR' ? 'error' : 'info',
      text,
      key: message.i18n?.key,
      ...(field !== undefined && { field }),
    }
  })

export const hasKey = (transaction: IdxTransaction, ...keys: readonly string[]) =>
  transaction.messages?.some((message) => keys.includes(message.i18n?.key)) ?? false
