import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { removeUnfinished } from '../../src/people/index.ts'
import { type Answer, type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { mailTo, manyMails, masked, parallel, startTarget, wrongCode } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import {
  changeSignUp,
  codeMail,
  fillsIn,
  offeredToEnrol,
  openSignUp,
  passwordInForm,
  toTheForm,
  unverified,
} from '../support/sign-up.ts'
import { guess, type Move, run, type StopWatch, startStopWatch } from '../support/stop-watch.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

const victim = 'mary@example.com'
const password = 'Marmalade-Harbour-31'
const another = 'Lighthouse-Biscuit-77'
const profileOf = (email: string) => ({ email, firstName: 'Nina', lastName: 'Nowak' })
const signUp = { open: true } as const

/** Users of every kind, each with a free address of the same length. */
const twins = {
  'openacc-a@test.dev': 'ACTIVE',
  'lockedout@test.dev': 'LOCKED_OUT',
  'suspended@test.dev': 'SUSPENDED',
  'staged-ab@test.dev': 'STAGED',
  'deprovisd@test.dev': 'DEPROVISIONED',
  'provision@test.dev': 'PROVISIONED',
} as const

/** Asks to enrol a password, whether or not it is on offer. */
const choosePassword = (visitor: Visitor) =>
  visitor.submits('credential/enroll', { authenticator: { id: authenticatorId('okta_password') } })

/** Every step that a visitor can take with an address, and what a step is answered after the end. */
const walk = (email: string): readonly Move[] => [
  ['the form', (visitor) => visitor.submits('enroll')],
  ['a form that is refused', (visitor) => visitor.submits('enroll/new', { userProfile: { email } })],
  ['a good form', (visitor) => visitor.submits('enroll/new', { userProfile: profileOf(email) })],
  ['introspect', (visitor) => visitor.submits('introspect')],
  ['poll', (visitor) => visitor.submits('challenge/poll')],
  ['no code', (visitor) => visitor.answers('')],
  guess,
  ['another mail', (visitor) => visitor.resends()],
  guess,
  ['the mailbox chosen again', (visitor) => visitor.enrolls('okta_email')],
  ['a password in place of the mailbox', choosePassword],
  guess,
  guess,
  ['the fifth wrong code', guess[1]],
  ['after the end', guess[1]],
  ['poll after the end', (visitor) => visitor.submits('challenge/poll')],
]

describe('a caller with a list of addresses', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startTarget({ settings: { signUp, limits: { ...manyRequests } } })
  })
  beforeEach(async () => {
    await idp.reset()
    for (const [login, status] of Object.entries(twins)) await idp.people.add({ login, status, password })
  })
  afterAll(() => idp.close())

  const seen = async (email: string) => {
    // So that the budgets of requests, which show how much is left of them, begin anew.
    idp.clock.advance('1m')
    return (await run(idp, walk(email))).map((reply) => `${reply.name}\n${masked(reply, email)}`)
  }

  test('A64: reads the same bytes at every step, whether or not the address is a user’s', async () => {
    for (const email of Object.keys(twins)) {
      const free = `nobody${email.slice(6)}`
      expect(await seen(email), email).toEqual(await seen(free))
    }
  })

  test('A64: is throttled alike and as long, by mails and by wrong codes', async () => {
    const outline = async (email: string) => {
      const replies: Answer[] = []
      for (let round = 0; round < 3; round++) replies.push(...(await run(idp, walk(email))))
      return replies.map(({ status, headers, messages }) => [status, headers.get('retry-after'), ...messages])
    }
    const taken = await outline('openacc-a@test.dev')
    expect(taken).toEqual(await outline('nobody-xy@test.dev'))
    expect(taken.map(([status]) => status)).toContain(429)
  })

  test('A64: sends as many mails for an address that is taken as for a free one, and no code to its owner', async () => {
    const mails = async (email: string) => {
      for (let round = 0; round < 3; round++) await run(idp, walk(email))
      await idp.engine.delivery.idle()
      return idp.outbox.all().filter(({ to }) => to === email)
    }
    const taken = await mails('openacc-a@test.dev')
    const free = await mails('nobody-xy@test.dev')
    expect(taken).toHaveLength(free.length)
    expect(new Set(taken.map(({ template }) => template))).toEqual(new Set(['RegistrationTaken']))
    expect(taken.filter(({ code, link }) => code !== null || link !== null)).toEqual([])
  })

  test('A64: learns nothing by a plus sign or by capitals: they share one budget of mails', async () => {
    const statuses: number[] = []
    for (let tag = 0; tag < 8; tag++) {
      const visitor = await fillsIn(idp.visitor(), profileOf(`Nina+${tag}@Example.com`))
      statuses.push(visitor.response.status)
    }
    await idp.engine.delivery.idle()
    const reached = idp.outbox.all().filter(({ to }) => /nina/i.test(to))
    expect(reached.length).toBeLessThan(8)
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429])
  })
})

describe('a caller with a stop-watch', () => {
  let node: Node
  let watch: StopWatch
  beforeAll(async () => {
    watch = startStopWatch()
    node = await startNode({ settings: { signUp }, ports: { hasher: watch.hasher } })
  })
  afterAll(async () => {
    watch.stop()
    await node.close()
  })

  test('A64: each step costs the same statements for an address that is taken as for a free one', async () => {
    const costs = (email: string) => watch.costs(node, walk(email))
    const taken = await costs(victim)
    expect(await costs('nina@example.com')).toEqual(taken)
    expect(JSON.stringify(taken)).toMatch(/insert into (\\")?outbox/)
  })
})

onEachDatabase('an address that nobody has proven', (database) => {
  let idp: Kit
  beforeAll(async () => {
    const { url } = await database.create()
    idp = await startEngine({
      database: url,
      clock: 'frozen',
      ...openSignUp({ limits: { ...manyRequests, ...manyMails } }),
    })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  const email = 'nina@example.com'
  const people = async () =>
    (await apiOf(idp)('GET', '/users')).list.filter(
      ({ profile }) => (profile as { readonly email: string }).email === email,
    )
  const rows = async () => {
    const { db } = idp.engine.storage
    const counted = await Promise.all(
      (['people', 'names', 'memberships', 'enrollments'] as const).map((table) =>
        db.selectFrom(table).selectAll().execute(),
      ),
    )
    return counted.map(({ length }) => length)
  }

  test('A63: is reserved by no form: no user, no name, no membership, no credential', async () => {
    const before = await rows()
    await changeSignUp(idp, { enrollAuthenticatorTypes: ['password'] })
    await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: password } })
    expect(await rows()).toEqual(before)
    const { db } = idp.engine.storage
    const [{ progress } = { progress: '' }] = await db
      .selectFrom('transactions')
      .select('progress')
      .where('progress', 'like', '%registration%')
      .execute()
    expect(progress).not.toMatch(/argon2|Nowak/)
  })

  test.each([
    ['a free address', email],
    ['an address that is taken', victim],
  ])('A63: is reserved by no password that is enrolled before the mailbox, with %s', async (_, address) => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const before = await rows()
    const visitor = await fillsIn(idp.visitor(), profileOf(address))
    expect(offeredToEnrol(visitor)).toEqual(['Email'])
    for (const key of ['okta_password', 'google_otp']) {
      const chosen = await visitor.submits('credential/enroll', {
        authenticator: { id: authenticatorId(key) },
      })
      expect(chosen.status).toBe(400)
    }
    await visitor.submits('introspect')
    expect(visitor.response.body.currentAuthenticator?.value.key).toBe('okta_email')
    await visitor.answers(another)
    expect(visitor.response.messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
    expect(await rows()).toEqual(before)
  })

  test('A63: of ten sign-ups at once the first that proves the mailbox wins, with its own password', async () => {
    await changeSignUp(idp, { enrollAuthenticatorTypes: ['password'] })
    const all: { visitor: Visitor; code: string; passcode: string }[] = []
    for (let index = 0; index < 10; index++) {
      const passcode = `Marmalade-Harbour-${index}`
      const visitor = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode } })
      const { code } = await mailTo(idp, email)
      all.push({ visitor, code: code ?? '', passcode })
    }
    await parallel(10, (index) => all[index]?.visitor.answers(all[index]?.code) ?? Promise.reject())
    const [winner, ...others] = all.filter(({ visitor }) => visitor.response.interactionCode !== undefined)
    expect(others).toEqual([])
    expect(await people()).toHaveLength(1)
    const losers = all.filter((one) => one !== winner)
    expect(losers.map(({ visitor }) => visitor.messages)).toEqual(
      losers.map(() => ['registration.error.notUniqueWithinOrg']),
    )
    for (const { passcode } of all) {
      const right = passcode === winner?.passcode
      expect(await idp.engine.people.hasPassword((await people())[0]?.id ?? '', passcode)).toBe(right)
    }
  })

  test('A63: is its owner’s, whatever a stranger began: the stranger’s password, id and page are worth nothing', async () => {
    await changeSignUp(idp, { enrollAuthenticatorTypes: ['password'] })
    const stranger = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: password } })
    const { code } = await mailTo(idp, email)
    const owner = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: another } })
    await owner.answers((await mailTo(idp, email)).code)
    expect(owner.response.interactionCode).toBeDefined()
    const [user] = await people()
    expect(await idp.engine.people.hasPassword(user?.id ?? '', password)).toBe(false)
    // Even with the code of the mail that the stranger caused.
    await stranger.answers(code)
    expect([stranger.messages, stranger.remediations]).toEqual([
      ['registration.error.notUniqueWithinOrg'],
      [],
    ])
    expect((await people()).map(({ id }) => id)).toEqual([user?.id])
  })

  test('A63: an unfinished account is replaced by the next proof of the mailbox, and nothing of it survives', async () => {
    const first = await fillsIn(idp.visitor(), profileOf(email))
    await first.answers((await mailTo(idp, email)).code)
    const [before] = await people()
    expect(before?.status).toBe('PROVISIONED')
    idp.clock.advance('1m')

    const second = await fillsIn(idp.visitor(), { ...profileOf(email), firstName: 'Anna' })
    await second.answers((await mailTo(idp, email)).code)
    const [after, ...more] = await people()
    expect(more).toEqual([])
    expect(after).toMatchObject({ status: 'PROVISIONED', profile: { firstName: 'Anna' } })
    expect(after?.id).not.toBe(before?.id)
    expect((await first.enrolls('okta_password')).status).toBe(401)
    await second.enrolls('okta_password')
    await second.answers(another)
    expect(second.response.interactionCode).toBeDefined()
    // Mails that are delivered side by side arrive in any order: the one that welcomes first.
    await idp.engine.delivery.idle()

    idp.clock.advance('1m')
    const third = await fillsIn(idp.visitor(), profileOf(email))
    expect((await mailTo(idp, email)).template).toBe('RegistrationTaken')
    expect((await third.answers('000000')).status).toBe(401)
  })

  test('A63: an abandoned account without a proven mailbox gives way once its transaction is over', async () => {
    await changeSignUp(idp, unverified)
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const abandoned = await fillsIn(idp.visitor(), profileOf(email))
    await abandoned.enrolls('okta_password')
    await abandoned.answers(password)
    expect((await people()).map(({ status }) => status)).toEqual(['PROVISIONED'])
    const soon = await fillsIn(idp.visitor(), profileOf(email))
    expect(soon.messages).toEqual(['registration.error.notUniqueWithinOrg'])
    idp.clock.advance('2h')
    const later = await fillsIn(idp.visitor(), profileOf(email))
    await later.enrolls('okta_password')
    await later.answers(another)
    const [user, ...more] = await people()
    expect(more).toEqual([])
    expect(await idp.engine.people.hasPassword(user?.id ?? '', password)).toBe(false)
  })

  test('A49: an account that is completed at the moment at which it would be removed stays', async () => {
    await changeSignUp(idp, unverified)
    await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
    const visitor = await fillsIn(idp.visitor(), profileOf(email))
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    const [made] = await people()
    expect(made?.status).toBe('PROVISIONED')
    const { storage, people: users } = idp.engine
    const found: string[] = []
    await removeUnfinished(
      {
        storage,
        people: {
          // What is found is removed only after its sign-up has ended, as by a node that has read a moment before.
          async remove(id, deed) {
            found.push(id)
            await users.change(id, { status: 'ACTIVE' }, { own: { strict: false } })
            return users.remove(id, deed)
          },
        },
      },
      idp.clock.now() + 8 * 24 * 3_600_000,
    )
    expect(found).toEqual([made?.id])
    expect((await people()).map(({ id, status }) => [id, status])).toEqual([[made?.id, 'ACTIVE']])
  })

  test('A63: an abandoned account whose mailbox was proven gives way to a proof of that mailbox alone', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const owner = await fillsIn(idp.visitor(), profileOf(email))
    await owner.answers((await mailTo(idp, email)).code)
    await owner.enrolls('okta_password')
    await owner.answers(password)
    const [made] = await people()
    expect(made?.status).toBe('PROVISIONED')
    idp.clock.advance('2h')
    // The sign-up of another app, or of this one by now, asks for no proof.
    await changeSignUp(idp, unverified)
    const stranger = await fillsIn(idp.visitor(), profileOf(email))
    expect(stranger.messages).toEqual(['registration.error.notUniqueWithinOrg'])
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    const other = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: another } })
    expect(other.messages).toEqual(['registration.error.notUniqueWithinOrg'])
    expect((await people()).map(({ id }) => id)).toEqual([made?.id])

    await changeSignUp(idp, {
      activationRequirements: { emailVerification: true },
      enrollAuthenticatorTypes: null,
    })
    const again = await fillsIn(idp.visitor(), profileOf(email))
    await again.answers((await mailTo(idp, email)).code)
    expect((await people()).map(({ id, status }) => [id === made?.id, status])).toEqual([
      [false, 'PROVISIONED'],
    ])
  })

  test('A63: an account that an administrator makes meanwhile stays as it is', async () => {
    const stranger = await fillsIn(idp.visitor(), profileOf(email))
    const { code } = await stranger.mail(email, codeMail)
    const owner = await idp.people.add({ login: email, password: another })
    expect((await stranger.answers(code)).messages).toEqual(['registration.error.notUniqueWithinOrg'])
    expect((await people()).map(({ id }) => id)).toEqual([owner.id])
  })
})

describe('a flood of sign-ups', () => {
  test('A57: is stopped by address and by network, whatever the addresses that it names', async () => {
    const idp = await startTarget({
      settings: {
        signUp,
        limits: {
          ...manyRequests,
          requests: { ...manyRequests.requests, signUpsPerSource: 3, signUpsPerNetwork: 5 },
        },
      },
    })
    const sends = async (address: string, index: number) => {
      const visitor = idp.visitor({ headers: { 'x-forwarded-for': address } })
      await fillsIn(visitor, profileOf(`n${index}@example.com`))
      return visitor.response.status
    }
    const statuses: number[] = []
    for (let index = 0; index < 4; index++) statuses.push(await sends('198.51.100.1', index))
    expect(statuses).toEqual([200, 200, 200, 429])
    for (let index = 4; index < 7; index++) statuses.push(await sends(`198.51.100.${index}`, index))
    expect(statuses.slice(4)).toEqual([200, 200, 429])
    expect(await sends('203.0.113.9', 8)).toBe(200)
    await idp.close()
  })
})

test('A63: a sign-up beside the session of another user never merges with it', async () => {
  const idp = await startTarget(openSignUp())
  const signedIn = idp.visitor()
  await signedIn.signsIn()
  expect(signedIn.response.interactionCode).toBeDefined()
  const visitor = await fillsIn(idp.visitor(), profileOf('nina@example.com'))
  await visitor.answers((await visitor.mail('nina@example.com', codeMail)).code)
  await visitor.enrolls('okta_password')
  await visitor.answers(password)
  const { body } = await apiOf(idp)('GET', '/users/nina@example.com')
  expect(body.id).not.toBe((await apiOf(idp)('GET', `/users/${victim}`)).body.id)
  // Nor does what was typed for a sign-in on the way to the form.
  const other = idp.visitor()
  await other.begins()
  await other.signsIn(victim, 'not it')
  await other.submits('enroll')
  await other.submits('enroll/new', { userProfile: profileOf('nora@example.com') })
  await other.answers(wrongCode((await mailTo(idp, 'nora@example.com')).code))
  expect(other.response.text).not.toContain(victim)
  await toTheForm(idp.visitor())
  await idp.close()
})
