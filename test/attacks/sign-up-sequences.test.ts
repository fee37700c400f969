import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { manyMails, scale, startTarget, visit } from '../support/attacks.ts'
import { fc } from '../support/draws.ts'
import { apiOf } from '../support/management.ts'
import { openSignUp } from '../support/sign-up.ts'

// Eve reads the mails of one address. Of the others she knows the names.
const eve = 'eve@example.com'
const names = [eve, 'mary@example.com', 'nina@example.com', 'EVE@example.com'] as const

let idp: Kit
beforeAll(async () => {
  idp = await startTarget(openSignUp({ limits: manyMails }))
})
afterAll(() => idp.close())

const kinds = [
  ...['enroll', 'enroll/new', 'enroll/new', 'answer', 'answer', 'answer', 'choose', 'choose', 'skip', 'poll'],
  ...['resend', 'identify', 'back', 'recover', 'new', 'cancel', 'introspect'],
] as const

interface Move {
  readonly kind: (typeof kinds)[number]
  readonly visitor: number
  readonly name: (typeof names)[number]
  readonly secret: 'newest code' | 'oldest code' | 'password' | 'nonsense'
  readonly times: number
}

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(...kinds),
  visitor: fc.nat(2),
  name: fc.constantFrom(...names),
  secret: fc.constantFrom<Move['secret']>(
    'newest code',
    'newest code',
    'oldest code',
    'password',
    'nonsense',
  ),
  times: fc.constantFrom(1, 1, 1, 3),
})

async function send(visitors: Visitor[], { kind, visitor: index, name, secret }: Move): Promise<Answer> {
  const visitor = visitors[index % visitors.length] ?? (await visit(idp))
  await idp.engine.delivery.idle()
  const codes = idp.outbox.to(eve).flatMap(({ code }) => code ?? [])
  const passcode = {
    'newest code': codes.at(0) ?? '000000',
    'oldest code': codes.at(-1) ?? '000000',
    password: 'Marmalade-Harbour-31',
    nonsense: 'nonsense',
  }[secret]
  const userProfile = { email: name, firstName: 'Eve', lastName: 'Evans' }
  switch (kind) {
    case 'enroll/new':
      return visitor.submits(kind, { userProfile })
    case 'answer':
      return visitor.answers(passcode)
    case 'choose': {
      const { body } = await visitor.submits('introspect')
      const id = body.authenticators?.value.at(0)?.id ?? 'aut0'
      return visitor.submits(
        visitor.remediations.includes('select-authenticator-enroll') ? 'credential/enroll' : 'challenge',
        {
          authenticator: { id },
        },
      )
    }
    case 'poll':
      return visitor.submits('challenge/poll')
    case 'resend':
      return visitor.submits('challenge/resend')
    case 'identify':
      return visitor.submits('identify', { identifier: name, credentials: { passcode } })
    case 'back':
      return visitor.submits('identify/select')
    case 'new': {
      const opened = await visit(idp)
      visitors.push(opened)
      return opened.response
    }
    default:
      return visitor.submits(kind)
  }
}

const subjectOf = (token: unknown): unknown =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).sub

test('A63: no sequence of steps makes a user, or ends in tokens, but for the mailbox that was read', async () => {
  let signedIn = 0
  const steps = (...list: readonly Partial<Move>[]): Move[] =>
    list.map((one) => ({ kind: 'enroll', visitor: 0, name: eve, secret: 'newest code', times: 1, ...one }))
  const opening = steps({}, { kind: 'enroll/new' })
  const whole = steps(...([{}, { kind: 'enroll/new' }, { kind: 'answer' }, { kind: 'choose' }] as const), {
    kind: 'answer',
    secret: 'password',
    times: 3,
  })
  const moves = fc.tuple(
    fc.constantFrom([], opening, whole.slice(0, 3)),
    fc.array(move, { minLength: 1, maxLength: 10 }),
  )
  const property = fc.asyncProperty(moves, async ([first, rest]) => {
    await idp.reset()
    const visitors = [await visit(idp), await visit(idp)]
    for (const next of [...first, ...rest]) {
      const replies = await Promise.all(Array.from({ length: next.times }, () => send(visitors, next)))
      const granted = new Set(replies.flatMap(({ interactionCode }) => interactionCode ?? []))
      expect(Math.max(...replies.map(({ status }) => status))).toBeLessThan(500)
      expect(granted.size).toBeLessThanOrEqual(1)
      for (const code of granted) {
        const redeemed = await Promise.all(visitors.map((visitor) => visitor.redeems(code)))
        const tokens = redeemed.filter(({ status }) => status === 200)
        expect(tokens).toHaveLength(1)
        expect(String(subjectOf(tokens[0]?.body.access_token)).toLowerCase()).toBe(eve)
        signedIn++
      }
    }
    const { list } = await apiOf(idp)('GET', '/users')
    const emails = list
      .map(({ profile }) => (profile as { readonly email: string }).email.toLowerCase())
      .sort()
    expect([['mary@example.com'], [eve, 'mary@example.com']]).toContainEqual(emails)
    const sessions = await idp.engine.storage.db.selectFrom('sessions').select('person_id').execute()
    const mary = list.find(
      ({ profile }) => (profile as { readonly email: string }).email === 'mary@example.com',
    )
    expect(sessions.filter(({ person_id }) => person_id === mary?.id)).toEqual([])
    expect(await idp.engine.people.hasPassword(String(mary?.id), idp.person.password)).toBe(true)
  })
  await fc.assert(property, { numRuns: scale(25, 3000), examples: [[[[], whole]]] })
  expect(signedIn).toBeGreaterThan(0)
})
