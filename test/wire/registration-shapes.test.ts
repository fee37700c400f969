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
  unverified,
} from '../support/sign-up.ts'
import { lastCode, number } from './phone.ts'
import { enrollmentPolicy } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'

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

  test('of ten visitors at once makes ten users, each with her own password', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const email = `visitor-${at}@example.com`
        const visitor = await filled({ ...nina, email })
        await code(visitor, email)
        await setsPassword(visitor)
        return visitor.response.interactionCode
      }),
    )
    expect(all.filter(Boolean)).toHaveLength(10)
  })
})
