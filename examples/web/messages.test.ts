import type { IdxTransaction } from '@okta/okta-auth-js'
import { expect, test } from 'vitest'
import { messagesOf } from './messages.ts'
import { wordsFor } from './words.ts'

const words = wordsFor(() => 'en')
const message = (key: string, text: string, kind = 'ERROR') => ({ message: text, class: kind, i18n: { key } })

test('a message in a field belongs to that field, others to the page', () => {
  const wrong = message('api.authn.error.PASSCODE_INVALID', 'Invalid code. Try again.')
  const hint = message('some.hint', 'A hint', 'INFO')
  const input = { name: 'verificationCode', messages: { type: 'array', value: [wrong] } }
  const transaction = { messages: [wrong, hint], nextStep: { name: 'x', inputs: [input] } }
  expect(messagesOf(transaction as unknown as IdxTransaction, words)).toEqual([
    {
      kind: 'error',
      text: 'This code is not correct. Check it and try again.',
      field: 'verificationCode',
      key: 'api.authn.error.PASSCODE_INVALID',
    },
    { kind: 'info', text: 'A hint', key: 'some.hint' },
  ])
})

test('a message without a key is shown in the words of the server', () => {
  const transaction = { messages: [{ message: 'Plain words', class: 'ERROR' }] }
  expect(messagesOf(transaction as unknown as IdxTransaction, words)).toEqual([
    { kind: 'error', text: 'Plain words' },
  ])
})
