import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import {
  changeSignUp,
  claimsOf,
  codeMail,
  fillsIn,
  offeredToEnrol,
  openSignUp,
  passwordInForm,
  unverified,
} from '../support/sign-up.ts'
import { activate, codeAt, enrollmentPolicy, secretIn, twoFactors } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(openSignUp())
})
beforeEach(async () => {
  await idp.reset()
  await changeSignUp(idp, unverified)
})
afterAll(() => idp.close())

const switchOn = () => changeSignUp(idp, { activationRequirements: { emailVerification: true } })
const switchOff = () => changeSignUp(idp, unverified)
const userOf = async () => (await apiOf(idp)('GET', `/users/${nina.email}`)).body

/** Goes on as a client does: takes what is asked for, one after the other, up to the tokens. */
async function goesOn(visitor: Visitor): Promise<readonly string[]> {
  const enrolled: string[] = []
  await visitor.submits('introspect')
  for (let step = 0; step < 6 && visitor.response.interactionCode === undefined; step++) {
    const [label = ''] = offeredToEnrol(visitor)
    enrolled.push(label)
    if (label === 'Email') {
      await idp.engine.delivery.idle()
      idp.outbox.clear()
      await visitor.enrolls('okta_email')
      await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    } else if (label === 'Password') {
      await visitor.enrolls('okta_password')
      await visitor.answers(password)
    } else {
      const page = await visitor.enrolls('google_otp')
      await visitor.answers(codeAt(secretIn(page), idp.clock.now()))
    }
    expect(visitor.messages, label).toEqual([])
  }
  return enrolled
}

/** Where a sign-up may be when the rule changes. */
const begun: Readonly<Record<string, () => Promise<Visitor>>> = {
  'the form was sent': () => fillsIn(newVisitor(idp), nina),
  'the password is asked for': async () => {
    const visitor = await fillsIn(newVisitor(idp), nina)
    await visitor.enrolls('okta_password')
    return visitor
  },
  'the password is set': async () => {
    const visitor = await fillsIn(newVisitor(idp), nina)
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    return visitor
  },
  'the password was in the form': async () => {
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    const visitor = await fillsIn(newVisitor(idp), nina, { credentials: { passcode: password } })
    return visitor
  },
  'the app is asked for': async () => {
    const visitor = await fillsIn(newVisitor(idp), nina)
    await visitor.enrolls('okta_password')
    await visitor.answers(password)
    await visitor.enrolls('google_otp')
    return visitor
  },
}

describe.each([
  ['with an enrolment policy', () => enrollmentPolicy(idp, { google_otp: 'REQUIRED' })],
  [
    'where the mailbox is no factor',
    () => enrollmentPolicy(idp, { google_otp: 'REQUIRED', okta_email: 'NOT_ALLOWED' }),
  ],
  [
    'where the policy asks at challenges only',
    async () => {
      await enrollmentPolicy(idp, { google_otp: 'REQUIRED' }, 'CHALLENGE')
      await twoFactors(idp)
    },
  ],
  [
    'where the app alone asks for more',
    async () => {
      await activate(apiOf(idp), 'google_otp')
      await twoFactors(idp)
    },
  ],
] as const)('verification that is switched on in the middle of a sign-up, %s', (_, setUp) => {
  test.each(Object.entries(begun))('%s: it goes on, and ends with a proven mailbox', async (_, begins) => {
    await setUp()
    const visitor = await begins()
    await switchOn()
    const enrolled = await goesOn(visitor)
    expect(enrolled[0]).toBe('Email')
    expect(new Set(enrolled).size).toBe(enrolled.length)
    expect(await claimsOf(visitor)).toMatchObject({ email_verified: true })
    expect(await userOf()).toMatchObject({ status: 'ACTIVE' })
  })
})

test('verification that is switched off while the code is awaited: the sign-up goes on without it', async () => {
  await switchOn()
  const visitor = await fillsIn(newVisitor(idp), nina)
  await switchOff()
  expect(await goesOn(visitor)).toEqual(['Password'])
  expect(await claimsOf(visitor)).toMatchObject({ email_verified: false })
})
