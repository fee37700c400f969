import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { alone } from '../support/alone.ts'
import { masked } from './expected.ts'
import { type Answer, newVisitor, type Visitor } from './visitor.ts'

// As long as each other, so that even the length of an answer must be the same.
const known = 'mary@example.com'
const nobody = 'nora@example.com'

/** Counts up with each request of an address, whatever user it is about. */
const ownOfRequest = ['x-okta-request-id', 'x-rate-limit-remaining', 'x-rate-limit-reset', 'date']

/** An answer without what is the visitor's own: which of the two she typed. */
function impartial(idp: Kit, { status, headers, body, text }: Answer) {
  const told = [...headers].filter(([name]) => !ownOfRequest.includes(name))
  const words = JSON.stringify(masked(idp, body))
    .replaceAll(/(mary|nora)@example\.com/g, '<typed>')
    .replaceAll(/(m\*\*\*y|n\*\*\*a)@example\.com/g, '<masked>')
  return { status, headers: told, length: text.length, body: JSON.parse(words) }
}

type Walk = (visitor: Visitor, typed: string) => Promise<unknown>

async function wrongCodes(visitor: Visitor, typed: string) {
  await visitor.atTheCode(typed)
  // Six digits that are a user's code by a chance of one in a million.
  for (let guess = 0; guess < 6; guess++) await visitor.answers('000000')
}

async function manyMails(visitor: Visitor, typed: string) {
  await visitor.atTheCode(typed)
  for (let mail = 2; mail <= 7; mail++) await visitor.submits('challenge/resend')
}

async function pollsAndLooks(visitor: Visitor, typed: string) {
  await visitor.atTheCode(typed)
  await visitor.submits('challenge/poll')
  await visitor.introspects()
  await visitor.submits('identify', { identifier: typed })
  await visitor.cancels()
}

async function wrongPasswords(visitor: Visitor, typed: string) {
  await visitor.begins()
  for (let guess = 0; guess < 6; guess++) await visitor.signsIn(typed, 'a wrong password')
}

async function choosesTheMail(visitor: Visitor, typed: string) {
  await visitor.begins()
  await visitor.submits('identify', { identifier: typed })
  await visitor.selects('okta_email')
  await visitor.answers('000000')
  await visitor.submits('challenge/resend')
}

async function choosesThePassword(visitor: Visitor, typed: string) {
  await visitor.begins()
  await visitor.submits('identify', { identifier: typed })
  await visitor.selects('okta_password')
  await visitor.answers('a wrong password')
  await visitor.submits('recover')
  await visitor.selects('okta_email')
  await visitor.answers('000000')
}

const policies: readonly {
  readonly start: 'password' | 'identifier'
  readonly walks: Readonly<Record<string, Walk>>
}[] = [
  {
    start: 'password',
    walks: {
      'wrong codes until it closes': wrongCodes,
      'mails until there are no more': manyMails,
      'polls, looks, and starts over': pollsAndLooks,
      'wrong passwords until it closes': wrongPasswords,
    },
  },
  {
    start: 'identifier',
    walks: {
      'a code in place of a password': choosesTheMail,
      'a password, then a recovery': choosesThePassword,
    },
  },
]

describe.each(policies)(
  '$start first, people who do not exist are answered like those who do',
  ({ start, walks }) => {
    let idp: Kit
    beforeAll(async () => {
      idp = await startEngine({ clock: 'frozen', settings: { signOn: { start } } })
    })
    beforeEach(() => idp.reset())
    afterAll(() => idp.close())

    test.each(Object.entries(walks))('%s', async (_, walk) => {
      const answers: unknown[][] = []
      for (const typed of [known, nobody]) {
        const visitor = newVisitor(idp)
        await walk(visitor, typed)
        const seen = visitor.responses.filter(({ path }) => path.startsWith('/idp/'))
        answers.push(seen.map((answer) => impartial(idp, answer)))
      }

      expect(answers[0]?.length).toBeGreaterThan(3)
      expect(answers[1]).toEqual(answers[0])
    })

    test('their mails go to nobody', async () => {
      for (const walk of Object.values(walks)) await walk(newVisitor(idp), nobody)
      await idp.engine.delivery.idle()

      expect(idp.outbox.all()).toEqual([])
    })
  },
)

test('what a person has stored shows in no answer before she proves who she is', async () => {
  const idp = await startEngine({
    people: [{ login: 'ada', email: 'ada.lovelace@private.example', firstName: 'Augusta', lastName: 'King' }],
  })
  const visitor = newVisitor(idp)
  await visitor.atTheCode('ada')
  await visitor.answers('000000')

  const said = visitor.responses.map(({ text }) => text).join('\n')
  for (const stored of ['Augusta', 'King']) expect(said).not.toMatch(alone(stored))
  expect(said).not.toMatch(/lovelace|private\.example|"profile"|(?<!\w)00u\w{17}(?!\w)/)
  await visitor.mail('ada.lovelace@private.example')
  await idp.close()
})
