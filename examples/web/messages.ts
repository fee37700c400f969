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

/** Where the SDK leaves the messages of a field out of its inputs: the field that a message is about, by its key. */
const fieldsByKey: Readonly<Record<string, string>> = {
  'api.authn.error.PASSCODE_INVALID': 'verificationCode',
  'authfactor.challenge.soft_token.invalid_passcode': 'verificationCode',
  'authfactor.challenge.soft_token.used_passcode': 'verificationCode',
  'recoveryCode.invalid': 'verificationCode',
  'api.factors.error.sms.invalid_phone': 'phoneNumber',
  'phone.number.notServed': 'phoneNumber',
  'errors.E0000087': 'answer',
  'authfactor.challenge.suspended_factor': 'answer',
  'securityQuestion.answer.tooShort.arg': 'answer',
  'securityQuestion.answer.tooLong.arg': 'answer',
  'securityQuestion.answer.inQuestion': 'answer',
  'securityQuestion.answer.inUsername': 'answer',
  'securityQuestion.question.tooLong.arg': 'question',
  'securityQuestion.question.unreadable': 'question',
}

/** What a server says of an address in two ways: the one that names the fault is enough. */
const isSaidTwice = ({ key, field }: Message, others: readonly Message[]): boolean =>
  key === 'registration.error.doesNotMatchPattern' &&
  others.some((other) => other.key === 'registration.error.invalidLoginEmail' && other.field === field)

/** The messages of the server, each with the field that it is about; one about several fields is with each of them. */
export const messagesOf = (transaction: IdxTransaction, words: Words): Message[] =>
  allMessagesOf(transaction, words).filter((message, _, all) => !isSaidTwice(message, all))

const allMessagesOf = (transaction: IdxTransaction, words: Words): Message[] =>
  (transaction.messages ?? []).flatMap((message): Message[] => {
    const inputs = transaction.nextStep?.inputs ?? []
    const byKey = fieldsByKey[message.i18n?.key]
    const own = inputs.filter((input) => belongsTo(input, message))
    const fields = own.length > 0 ? own : inputs.filter(({ name }) => name === byKey).slice(0, 1)
    const shown: Message = {
      kind: message.class === 'ERROR' ? 'error' : 'info',
      text: words.messages[message.i18n?.key] ?? message.message,
      key: message.i18n?.key,
    }
    return fields.length === 0 ? [shown] : fields.map(({ name }) => ({ ...shown, field: name }))
  })

export const hasKey = (transaction: IdxTransaction, ...keys: readonly string[]) =>
  transaction.messages?.some((message) => keys.includes(message.i18n?.key)) ?? false
