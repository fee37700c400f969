import { afterAll, beforeAll, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { manyMails, scale, startTarget, visit } from '../support/attacks.ts'
import { fc } from '../support/draws.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { activationOf, challengeOf, newPasskey } from '../wire/passkeys.ts'
import { number } from '../wire/phone.ts'
import { changeRule } from '../wire/recovery-rules.ts'
import { codeAt, enrollmentPolicy, twoFactors } from '../wire/totp.ts'

const eve = { login: 'eve@example.com', password: 'Marmalade-Harbour-31' }
const methods = [
  'google_otp',
  'phone_number',
  'security_question',
  'webauthn',
  'recovery_codes',
  'okta_verify',
] as const
const keys = [...methods, 'okta_email', 'okta_password'] as const

const paths = [
  'identify',
  'recover',
  'unlock-account',
  'challenge',
  'challenge/answer',
  'challenge/answer/webauthn-autofillui',
  'challenge/resend',
  'challenge/poll',
  'challenge/send',
  'credential/enroll',
  'skip',
  'introspect',
  'cancel',
] as const

/** What is no value of any field, or more of it than a server wants. */
const junk = fc.constantFrom<unknown>(
  undefined,
  null,
  true,
  0,
  -1,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  "' OR 1=1 --",
  [],
  [[]],
  {},
  { $ne: 1 },
  ['sms', 'sms'],
  'A'.repeat(70_000),
  Array.from({ length: 2000 }, () => ({})),
)
/** A value that the field has, or junk in its place. */
const orJunk = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: junk })

/** What is typed: a proof of one kind, right for the page of this transaction or for that of another one, or none at all. */
const typed = fc.record({
  of: fc.constantFrom(...methods, 'okta_email' as const, 'okta_password' as const),
  isStale: fc.constantFrom(false, false, false, true),
})

const body = fc.record(
  {
    authenticator: orJunk(
      fc.record(
        {
          id: orJunk(fc.constantFrom<unknown>(...keys.map(authenticatorId))),
          methodType: orJunk(fc.constantFrom('sms', 'voice', 'email', 'otp', 'push')),
          phoneNumber: orJunk(fc.constantFrom(number, '+15557654321', '12')),
          channel: orJunk(fc.constantFrom('qrcode', 'email', 'sms')),
          enrollmentId: orJunk(fc.constantFrom('pae1', 'uft1')),
        },
        { requiredKeys: ['id'] },
      ),
    ),
    identifier: orJunk(fc.constantFrom(eve.login, 'mary@example.com', 'nobody@example.com')),
    rememberMe: orJunk(fc.boolean()),
    email: orJunk(fc.constant(eve.login)),
    phoneNumber: orJunk(fc.constant(number)),
  },
  { requiredKeys: ['authenticator'] },
)

interface Move {
  readonly path: (typeof paths)[number]
  readonly body: Readonly<Record<string, unknown>>
  readonly typed: { readonly of: (typeof keys)[number]; readonly isStale: boolean }
  /** Instead of what is typed. */
  readonly credentials?: unknown
  readonly visitor: number
  /** Whose transaction is named: the visitor's own, as a rule. */
  readonly handle: 'own' | 'another' | 'none' | 'junk'
  readonly times: number
}

const move = (path: fc.Arbitrary<Move['path']>): fc.Arbitrary<Move> =>
  fc.record(
    {
      path,
      body,
      typed,
      credentials: junk,
      visitor: fc.nat(2),
      handle: fc.constantFrom<Move['handle']>('own', 'own', 'own', 'own', 'own', 'another', 'none', 'junk'),
      times: fc.constantFrom(1, 1, 1, 2, 3),
    },
    { requiredKeys: ['path', 'body', 'typed', 'visitor', 'handle', 'times'] },
  )
const moves = fc.array(
  move(
    fc.oneof(
      fc.constantFrom(...paths),
      // The way of an enrolment and of a challenge, more often than not.
      fc.constantFrom('identify', 'credential/enroll', 'challenge', 'challenge/answer', 'challenge/answer'),
    ),
  ),
  { minLength: 4, maxLength: 14 },
)

interface Actor {
  readonly visitor: Visitor
  /** Of which methods this transaction was given what would prove them. */
  readonly proven: Set<string>
}

const contextualOf = ({ body }: Answer) =>
  (body.currentAuthenticator as { value?: { contextualData?: Record<string, unknown> } } | undefined)?.value
    ?.contextualData

/** The newest answer that shows something, of a transaction. */
const newest = <T>({ responses }: Visitor, find: (answer: Answer) => T | undefined): T | undefined =>
  responses
    .toReversed()
    .map(find)
    .find((found) => found !== undefined)

onEachDatabase('methods', (database) => {
  let idp: Kit
  let close: () => Promise<void>
  beforeAll(async () => {
    const { url, drop } = await database.create()
    idp = await startTarget({
      database: url,
      settings: {
        limits: manyMails,
        webauthn: { rpId: 'localhost' },
        policies: { password: { recovery: { unlock: true } } },
      },
    })
    close = async () => {
      await idp.close()
      await drop()
    }
  })
  afterAll(() => close())

  const passkey = newPasskey()

  /** What proves a method on a page that this visitor has seen; undefined: she has seen none. */
  async function proofOf(of: (typeof keys)[number], visitor: Visitor): Promise<unknown> {
    await idp.engine.delivery.idle()
    switch (of) {
      case 'okta_password':
        return { passcode: eve.password }
      case 'okta_email':
        return { passcode: idp.outbox.to(eve.login).find(({ code }) => code)?.code ?? '' }
      case 'phone_number':
        return { passcode: idp.outbox.to(number).find(({ code }) => code)?.code ?? '' }
      case 'google_otp': {
        const secret = newest(visitor, (answer) => contextualOf(answer)?.sharedSecret)
        return typeof secret === 'string' ? { passcode: codeAt(secret, idp.clock.now()) } : undefined
      }
      case 'recovery_codes': {
        const codes = newest(visitor, (answer) => contextualOf(answer)?.recoveryCodes)
        return Array.isArray(codes) ? { passcode: codes[0] } : undefined
      }
      case 'security_question':
        return { questionKey: 'disliked_food', answer: 'Sprouts' }
      case 'webauthn': {
        const made = newest(visitor, (answer) => activationOf(answer)?.challenge)
        if (made !== undefined) return passkey.create(made)
        const asked = newest(visitor, (answer) => challengeOf(answer)?.challenge)
        return asked === undefined ? undefined : passkey.get(asked)
      }
      case 'okta_verify':
        return { passcode: '000000' }
    }
  }

  async function send(actors: readonly Actor[], next: Move): Promise<Answer | undefined> {
    const actor = actors[next.visitor % actors.length]
    const other = actors[(next.visitor + 1) % actors.length]
    if (actor === undefined || other === undefined) return undefined
    const { of, isStale } = next.typed
    const isAnswer = next.path === 'identify' || next.path.startsWith('challenge/answer')
    const credentials =
      'credentials' in next ? next.credentials : await proofOf(of, isStale ? other.visitor : actor.visitor)
    const handles = { own: undefined, another: other.visitor.stateHandle, none: null, junk: '02.id.none' }
    const handle = handles[next.handle]
    // Whatever transaction it is sent to may take it.
    if (isAnswer && !('credentials' in next)) for (const one of actors) one.proven.add(of)
    return actor.visitor.submits(next.path, {
      ...next.body,
      ...(isAnswer && { credentials }),
      ...(handle !== undefined && { stateHandle: handle }),
    })
  }

  test('no bodies, in whatever order, at once or of another transaction, enrol what was not proven, sign in without it, or fail', async () => {
    const reached = new Set<string>()
    const property = fc.asyncProperty(
      fc.subarray([...methods], { minLength: 1 }),
      fc.constantFrom<'REQUIRED' | 'OPTIONAL'>('REQUIRED', 'OPTIONAL'),
      fc.boolean(),
      moves,
      async (named, self, asksForTwo, sequence) => {
        await idp.reset()
        const { id } = await idp.people.add(eve)
        const isPossible = (key: string) => key !== 'okta_verify' || self === 'OPTIONAL'
        await enrollmentPolicy(idp, Object.fromEntries(named.filter(isPossible).map((key) => [key, self])))
        if (asksForTwo) await twoFactors(idp)
        await changeRule(idp, (actions) => ({
          ...actions,
          selfServiceUnlock: { access: 'ALLOW' },
          selfServicePasswordReset: {
            access: 'ALLOW',
            requirement: { primary: { methods: ['email', 'sms', 'voice'] }, stepUp: { required: true } },
          },
        }))
        const actors: Actor[] = []
        for (let count = 0; count < 3; count++) actors.push({ visitor: await visit(idp), proven: new Set() })
        const first = actors[0]?.visitor
        await first?.signsIn(eve.login, eve.password)
        for (const actor of actors) actor.proven.add('okta_password')

        for (const next of sequence) {
          const replies = await Promise.all(Array.from({ length: next.times }, () => send(actors, next)))
          for (const reply of replies) {
            expect(reply?.status ?? 200).toBeLessThan(500)
            if (reply?.interactionCode === undefined) continue
            reached.add('granted')
            // A password, and what was typed beside it.
            if (asksForTwo)
              expect(new Set(actors.flatMap(({ proven }) => [...proven])).size).toBeGreaterThan(1)
          }
        }
        const proven = new Set(actors.flatMap((actor) => [...actor.proven]))
        const { db } = idp.engine.storage
        const rows = await db.selectFrom('enrollments').select(['person_id', 'authenticator']).execute()
        for (const { person_id, authenticator } of rows) {
          if (authenticator === 'okta_password') continue
          reached.add(authenticator)
          // Nothing is enrolled that was not proven, by no user but her whose password was typed, and never the app that nothing can prove.
          expect([person_id, [...proven]]).toEqual([id, expect.arrayContaining([authenticator])])
          expect(authenticator).not.toBe('okta_verify')
        }
      },
    )
    const step = (path: Move['path'], of: (typeof keys)[number]): Move => ({
      path,
      body: {
        authenticator: {
          id: authenticatorId(of),
          ...(of === 'phone_number' && { methodType: 'sms', phoneNumber: number }),
        },
      },
      typed: { of, isStale: false },
      visitor: 0,
      handle: 'own',
      times: 2,
    })
    // The end can be reached by each of them: a property of sequences that lead nowhere would say nothing.
    const walks = methods
      .filter((key) => key !== 'okta_verify')
      .map((key, index): [(typeof methods)[number][], 'REQUIRED', boolean, Move[]] => [
        [key],
        'REQUIRED',
        index === 0,
        [
          // Where two factors are asked for, the mailbox is proven first.
          ...(index === 0
            ? [step('challenge', 'okta_email'), step('challenge/answer', 'okta_email')]
            : []
          ).map((one) => ({ ...one, times: 1 })),
          { ...step('credential/enroll', key), times: 1 },
          step('challenge/answer', key),
        ],
      ])
    await fc.assert(property, { numRuns: scale(11, 3000), examples: walks })
    expect([...reached].toSorted()).toEqual(
      expect.arrayContaining(['granted', ...methods.filter((key) => key !== 'okta_verify')]),
    )
  })
})
