import { expect, test } from 'vitest'
import { createMessages } from './messages.ts'

test('the subject of a call says what it is about, not its greeting', () => {
  const spoken = (text: string) =>
    createMessages().addText({
      ...{ id: 'out1', channel: 'voice', to: '+12024561111', template: 'VoiceChallenge', text },
      ...{ variables: { org: 'Acme', code: '123456' } },
    } as unknown as Parameters<ReturnType<typeof createMessages>['addText']>[0]).subject
  expect(spoken('Hello. Your verification code for Acme is 1, 2, 3, 4, 5, 6. Once again: 1.')).toBe(
    'Your verification code for Acme is 1, 2, 3, 4, 5, 6.',
  )
  expect(spoken('こんにちは。Acme の確認コードは 1 2 3 です。もう一度、1 2 3。')).toBe(
    'Acme の確認コードは 1 2 3 です。',
  )
  expect(spoken('Your code is 123456.\n\n@acme.example #123456')).toBe('Your code is 123456.')
})
