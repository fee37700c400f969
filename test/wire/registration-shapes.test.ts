import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { mailTo } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { enrolmentPolicy, namingApp } from '../support/policy-rules.ts'
import { onEachDatabase } from '../support/postgres.ts'
import {
  changeSignUp,
  claimsOf,
  fillsIn,
  offeredToEnrol,
  openSignUp,
  passwordInForm,
  unverified,
} from '../support/sign-up.ts'
import { lastCode, number } from './phone.ts'
import { codeAt, enrollmentPolicy, secretIn } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'
/** How many visitors sign up at once. */
const crowd = process.env.REKEY_TEST_WORLD === '1' ? 10 : 4

onEachDatabase('a sign-up', (database) => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ ...openSignUp(), database: (await database.create()).url })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  const filled = (userProfile: object = nina): Promise<Visitor> => fillsIn(newVisitor(idp), userProfile)
  const code = async (visitor: Visitor, to = nina.email) => visitor.answers((await mailTo(idp, to)).code)
  async function setsPassword(visitor: Visitor) {
    await visitor.enrolls('okta_password')
    return visitor.answers(password)
  }
  const found = async (name = nina.email) => (await apiOf(idp)('GET', `/users/${name}`)).body

  test('whose address needs no proof asks for the password first, and for the mailbox as something to skip', async () => {
    await changeSignUp(idp, unverified)
    // By default a mailbox is nothing to enrol: every account has one.
    const authenticators = [
      { key: 'okta_password', enroll: { self: 'REQUIRED' } },
      { key: 'okta_email', enroll: { self: 'OPTIONAL', autoEnroll: false } },
    ]
    await enrolmentPolicy(idp, { authenticators })
    const visitor = await filled()
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll'],
      ['Password'],
    ])
    await setsPassword(visitor)
    expect(await found()).toMatchObject({ status: 'PROVISIONED' })
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll', 'skip'],
      ['Email'],
    ])
    await visitor.submits('skip')
    expect((await claimsOf(visitor)).email_verified).toBe(false)
    expect(await found()).toMatchObject({ status: 'ACTIVE' })
  })

  test('with a login of its own signs in with either name', async () => {
    await changeSignUp(idp, {
      profileAttributes: ['login', 'email', 'firstName', 'lastName'].map((name) => ({
        ...{ name, label: name },
        required: true,
      })),
    })
    const visitor = await filled({ ...nina, login: 'nina.nowak' })
    await code(visitor)
    await setsPassword(visitor)
    expect(visitor.response.interactionCode).toBeDefined()
    for (const name of ['nina.nowak', nina.email]) {
      const again = newVisitor(idp)
      await again.begins()
      expect((await again.signsIn(name, password)).interactionCode).toBeDefined()
    }
  })

  test('may begin with the phone', async () => {
    await changeSignUp(idp, unverified)
    await enrollmentPolicy(idp, {
      phone_number: 'REQUIRED',
      okta_password: 'OPTIONAL',
      okta_email: 'NOT_ALLOWED',
    })
    const visitor = await filled()
    expect(offeredToEnrol(visitor)).toEqual(['Phone'])
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: number })
    await visitor.answers(await lastCode(idp))
    expect(await found()).toMatchObject({ status: 'PROVISIONED' })
    await visitor.submits('skip')
    expect((await claimsOf(visitor)).email_verified).toBe(false)
    expect(await found()).toMatchObject({ status: 'ACTIVE' })
  })

  test('may put off what is required from a date on', async () => {
    const expiry = new Date(idp.clock.now() + 3_600_000).toISOString()
    const gracePeriod = { type: 'BY_DATE_TIME', expiry }
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod }))
    const visitor = await filled()
    await code(visitor)
    expect(offeredToEnrol(visitor)).toEqual(['Password', 'Google Authenticator'])
    await setsPassword(visitor)
    expect([visitor.remediations, offeredToEnrol(visitor)]).toEqual([
      ['select-authenticator-enroll', 'skip'],
      ['Google Authenticator'],
    ])
    await visitor.submits('skip')
    expect((await claimsOf(visitor)).email).toBe(nina.email)
  })

  test('loses nothing to repeats: a form and an answer that are sent twice, the page in a second tab', async () => {
    const visitor = await filled()
    const { code: first } = await mailTo(idp, nina.email)
    // The form is behind this transaction, and so is the way back to it: what was sent stays as it is.
    expect((await visitor.submits('enroll')).status).toBe(400)
    expect((await visitor.submits('enroll/new', { userProfile: nina })).status).toBe(400)
    expect(visitor.remediations[0]).toBe('enroll-authenticator')
    await visitor.submits('introspect')
    expect(visitor.remediations[0]).toBe('enroll-authenticator')
    await visitor.resends()
    expect((await visitor.answers(first)).status).toBe(401)
    await code(visitor)
    const { id } = await found()
    // The same answer again finds the next page, and changes nothing.
    expect((await visitor.answers((await mailTo(idp, nina.email)).code)).status).toBe(400)
    expect(offeredToEnrol(visitor)).toEqual(['Password'])
    await setsPassword(visitor)
    expect(visitor.response.interactionCode).toBeDefined()
    expect(await found()).toMatchObject({ id, status: 'ACTIVE' })
  })

  test('whose time is over in the middle says so, and begins anew with the same address', async () => {
    const visitor = await filled()
    await code(visitor)
    const { id } = await found()
    idp.clock.advance('2h')
    expect((await visitor.enrolls('okta_password')).status).toBe(401)
    expect(visitor.messages).toEqual(['idx.session.expired'])
    const again = await filled()
    await code(again)
    await setsPassword(again)
    expect(again.response.interactionCode).toBeDefined()
    expect((await found()).id).not.toBe(id)
  })

  test('may put off what is required a number of times: the sign-up is one, and the sign-ins after it are the rest', async () => {
    const gracePeriod = { type: 'BY_SKIP_COUNT', skipCount: 2 }
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod }))
    const visitor = await filled()
    await code(visitor)
    await setsPassword(visitor)
    const asked = (one: Visitor) => [one.remediations, offeredToEnrol(one)]
    const skippable = [['select-authenticator-enroll', 'skip'], ['Google Authenticator']]
    expect(asked(visitor)).toEqual(skippable)
    await visitor.submits('skip')
    expect((await claimsOf(visitor)).email).toBe(nina.email)

    const signsIn = async () => {
      const back = newVisitor(idp)
      await back.begins()
      await back.signsIn(nina.email, password)
      return back
    }
    const second = await signsIn()
    expect(asked(second)).toEqual(skippable)
    await second.submits('skip')
    expect(second.response.interactionCode).toBeDefined()
    const third = await signsIn()
    expect(asked(third)).toEqual([['select-authenticator-enroll'], ['Google Authenticator']])
    expect((await third.submits('skip')).status).toBe(400)
  })

  /** A shape of sign-up: what is set up for it, and how one visitor walks to the end of it, or to a page that refuses. */
  interface Shape {
    setUp(): Promise<unknown>
    walk(email: string): Promise<Visitor>
  }
  const shapes: Readonly<Record<string, Shape>> = {
    'with a code and a password': {
      setUp: async () => {},
      async walk(email) {
        const visitor = await filled({ ...nina, email })
        await code(visitor, email)
        await setsPassword(visitor)
        return visitor
      },
    },
    'with the password in the form': {
      setUp: () => changeSignUp(idp, passwordInForm),
      async walk(email) {
        const visitor = await fillsIn(
          newVisitor(idp),
          { ...nina, email },
          { credentials: { passcode: password } },
        )
        await code(visitor, email)
        return visitor
      },
    },
    'without a password': {
      setUp: () => enrollmentPolicy(idp, { okta_email: 'REQUIRED', okta_password: 'OPTIONAL' }),
      async walk(email) {
        const visitor = await filled({ ...nina, email })
        await code(visitor, email)
        await visitor.submits('skip')
        return visitor
      },
    },
    'with an address that needs no proof': {
      setUp: () => changeSignUp(idp, unverified),
      async walk(email) {
        const visitor = await filled({ ...nina, email })
        // Where another visitor was faster, the form itself is refused.
        if (visitor.response.status === 400) return visitor
        await setsPassword(visitor)
        return visitor
      },
    },
    'with the password in the form and no proof': {
      setUp: () => changeSignUp(idp, { ...unverified, ...passwordInForm }),
      walk: (email) => fillsIn(newVisitor(idp), { ...nina, email }, { credentials: { passcode: password } }),
    },
    'with an authenticator app': {
      setUp: () => enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'REQUIRED' }),
      async walk(email) {
        const visitor = await filled({ ...nina, email })
        await code(visitor, email)
        await setsPassword(visitor)
        const page = await visitor.enrolls('google_otp')
        await visitor.answers(codeAt(secretIn(page), idp.clock.now()))
        return visitor
      },
    },
  }
  const atOnce = (addressOf: (at: number) => string, walk: Shape['walk']) =>
    Promise.all(Array.from({ length: crowd }, (_, at) => walk(addressOf(at)).catch((error: Error) => error)))

  test.each(Object.entries(shapes))(
    '%s, of several visitors at once, makes a user of each',
    async (_, shape) => {
      await shape.setUp()
      const all = await atOnce((at) => `visitor-${at}@example.com`, shape.walk)
      expect(
        all.map((one) => (one instanceof Error ? one : one.response.interactionCode !== undefined)),
      ).toEqual(Array(crowd).fill(true))
      const made = await Promise.all(
        Array.from({ length: crowd }, async (_, at) => found(`visitor-${at}@example.com`)),
      )
      expect(new Set(made.map(({ status }) => status))).toEqual(new Set(['ACTIVE']))
      expect(new Set(made.map(({ id }) => id)).size).toBe(crowd)
    },
  )

  test.each(['with an address that needs no proof', 'with the password in the form and no proof'])(
    '%s, of several visitors at once with one address, makes one user, and the others read that it is taken',
    async (name) => {
      const shape = shapes[name]
      await shape?.setUp()
      const all = await atOnce(
        () => nina.email,
        shape?.walk ??
          (() => {
            throw new Error(name)
          }),
      )
      const won = all.filter((one) => !(one instanceof Error) && one.response.interactionCode !== undefined)
      expect(won).toHaveLength(1)
      for (const one of all) {
        if (one instanceof Error || one.response.interactionCode !== undefined) continue
        expect(one.response.status).toBe(400)
        expect(one.response.text).toContain('registration.error.notUniqueWithinOrg')
      }
      expect(await found()).toMatchObject({ status: 'ACTIVE' })
      const users = (await apiOf(idp)('GET', '/users')).list
      expect(users.filter(({ profile }) => (profile as { email: string }).email === nina.email)).toHaveLength(
        1,
      )
    },
  )
})
