import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { manyMails, scale, startTarget, visit } from '../support/attacks.ts'
import { fc } from '../support/draws.ts'

// Eve has an account, its password and its mailbox. Of Mary she knows the name.
const eve = { login: 'eve@example.com', password: 'Marmalade-Harbour-31' }
const names = ['mary@example.com', eve.login, 'nobody@example.com', 'MARY@example.com'] as const

let idp: Kit
beforeAll(async () => {
  idp = await startTarget({ settings: { limits: manyMails } })
})
afterAll(() => idp.close())

interface Move {
  readonly kind:
    | 'recover'
    | 'identify'
    | 'sign in'
    | 'choose'
    | 'answer'
    | 'resend'
    | 'poll'
    | 'introspect'
    | 'cancel'
    | 'mary asks for her mail'
    | 'new'
  /** Which of the user's transactions; those that were cancelled stay in the list. */
  readonly visitor: number
  readonly name: (typeof names)[number]
  readonly secret: 'newest code' | 'oldest code' | 'password' | 'new password' | 'nonsense' | 'nothing'
  /** Sent as often at once. */
  readonly times: number
}

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom<Move['kind']>(
    'recover',
    'identify',
    'sign in',
    'choose',
    'choose',
    'answer',
    'answer',
    'answer',
    'resend',
    'poll',
    'introspect',
    'cancel',
    'mary asks for her mail',
    'new',
  ),
  visitor: fc.nat(3),
  name: fc.constantFrom(...names),
  secret: fc.constantFrom<Move['secret']>(
    'newest code',
    'newest code',
    'oldest code',
    'password',
    'new password',
    'nonsense',
    'nothing',
  ),
  times: fc.constantFrom(1, 1, 1, 2, 5),
})

/** The beginnings that chance alone would seldom find, each broken off somewhere by the moves that follow. */
const opening = fc.constantFrom<readonly Move['kind'][]>(
  [],
  ['recover', 'identify'],
  ['recover', 'identify', 'choose'],
  ['recover', 'identify', 'choose', 'answer'],
)

type Sequence = [readonly Move['kind'][], string, Move[]]

interface World {
  readonly visitors: Visitor[]
  readonly handles: string[]
}

async function send(
  { visitors, handles }: World,
  { kind, visitor: index, name, secret }: Move,
): Promise<Answer | undefined> {
  const visitor = visitors[index % visitors.length]
  if (visitor === undefined) return undefined
  await idp.engine.delivery.idle()
  // She reads her own mails only, whatever she asked for.
  const codes = idp.outbox.to(eve.login).flatMap(({ code }) => code ?? [])
  const passcode = {
    'newest code': codes.at(0) ?? '000000',
    'oldest code': codes.at(-1) ?? '000000',
    password: eve.password,
    'new password': 'Lighthouse-Biscuit-77',
    nonsense: 'nonsense',
    nothing: undefined,
  }[secret]
  // An old handle of another transaction, now and then.
  const stale = secret === 'oldest code' ? { stateHandle: handles.at(0) } : {}
  switch (kind) {
    case 'recover':
      return visitor.submits('recover', stale)
    case 'identify':
      return visitor.submits('identify', { identifier: name, ...stale })
    case 'sign in':
      return visitor.submits('identify', { identifier: name, credentials: { passcode }, ...stale })
    case 'choose': {
      const { body } = await visitor.submits('introspect')
      const chosen = body.authenticators?.value.at(-1)?.id
      return visitor.submits('challenge', { authenticator: { id: chosen ?? 'aut0' }, ...stale })
    }
    case 'answer':
      return visitor.answers(passcode)
    case 'resend':
      return visitor.submits('challenge/resend', stale)
    case 'poll':
      return visitor.submits('challenge/poll', stale)
    case 'introspect':
      return visitor.submits('introspect', stale)
    case 'cancel': {
      const cancelled = await visitor.submits('cancel')
      const stateHandle = cancelled.body.stateHandle
      if (typeof stateHandle === 'string') handles.push(stateHandle)
      return cancelled
    }
    case 'mary asks for her mail': {
      const mary = await visit(idp)
      await mary.submits('recover')
      const named = await mary.submits('identify', { identifier: 'mary@example.com' })
      return mary.submits('challenge', { authenticator: { id: named.body.authenticators?.value[0]?.id } })
    }
    case 'new': {
      const opened = await visit(idp)
      visitors.push(opened)
      handles.push(opened.stateHandle)
      return opened.response
    }
  }
}

const subjectOf = (token: unknown): unknown =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).sub

test('no sequence of steps, repeats and stale handles ends in tokens without the proofs, and none in a 500', async () => {
  let signedIn = 0
  const sequence = fc.tuple(
    opening,
    // Under her own name, more often than not: her sequences are the ones that may end in tokens.
    fc.constantFrom(...names, eve.login, eve.login),
    fc.array(move, { minLength: 1, maxLength: 12 }),
  )
  const property = fc.asyncProperty(sequence, async ([beginning, name, moves]) => {
    await idp.reset()
    const { id } = await idp.people.add(eve)
    const first = await visit(idp)
    const world: World = { visitors: [first], handles: [first.stateHandle] }
    const opened = beginning.map(
      (kind): Move => ({ kind, visitor: 0, name, secret: 'newest code', times: 1 }),
    )
    for (const next of [...opened, ...moves]) {
      const replies = await Promise.all(Array.from({ length: next.times }, () => send(world, next)))
      const granted = new Set<string>()
      for (const reply of replies) {
        expect(reply?.status ?? 200).toBeLessThan(500)
        const code = reply?.interactionCode
        if (code !== undefined) granted.add(code)
      }
      // One end for each transaction, whatever comes at once.
      expect(granted.size).toBeLessThanOrEqual(1)
      for (const code of granted) {
        const redeemed = await Promise.all(world.visitors.map((visitor) => visitor.redeems(code)))
        const tokens = redeemed.filter(({ status }) => status === 200)
        expect(tokens).toHaveLength(1)
        expect(subjectOf(tokens[0]?.body.access_token)).toBe(eve.login)
        signedIn++
      }
    }
    // Of Mary nothing has changed, whatever was tried under her name.
    const people = await idp.engine.storage.db.selectFrom('sessions').select('person_id').execute()
    expect(people.filter((session) => session.person_id !== id)).toEqual([])
    const mary = await visit(idp)
    const credentials = { passcode: idp.person.password }
    const reply = await mary.submits('identify', { identifier: 'mary@example.com', credentials })
    expect(reply.interactionCode).toBeDefined()
  })
  const lastStep: Move = { kind: 'answer', visitor: 0, name: eve.login, secret: 'new password', times: 5 }
  const wholeWalk: Sequence = [['recover', 'identify', 'choose', 'answer'], eve.login, [lastStep]]
  await fc.assert(property, { numRuns: scale(30, 5000), examples: [[wholeWalk]] })
  // The end can be reached: a property of sequences that lead nowhere would say nothing.
  expect(signedIn).toBeGreaterThan(0)
})
