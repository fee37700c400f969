import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { appRule, enrolmentPolicy, namingApp } from '../support/policy-rules.ts'
import { activationOf, newPasskey, passkeyEngine, sends } from './passkeys.ts'
import { codeAt, enrollmentPolicy, secretIn, twoFactors } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const mary = 'mary@example.com'
const number = '+15555550123'
const newPassword = 'Lighthouse-Biscuit-77'
const select = ['select-authenticator-authenticate']
const enroll = ['select-authenticator-enroll']

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(passkeyEngine)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

async function byPassword(): Promise<Visitor> {
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor
}

async function enrolsApp(visitor: Visitor) {
  const secret = secretIn(await visitor.enrolls('google_otp'))
  return visitor.answers(codeAt(secret, idp.clock.now()))
}

// An enrolment that the app needs is opened by a factor of the user's own, which meets nothing of what the app asks for (A69).

test('a user with an app enrols the passkey that an app asks for, once the app is proven', async () => {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', webauthn: 'REQUIRED' })
  const { sharedSecret } = await idp.factors.enroll(mary, 'google_otp')
  const possession = { required: true, phishingResistant: 'REQUIRED' }
  await appRule(idp, { factorMode: '2FA', constraints: [{ possession }] })

  // The only one that could be asked for is, without a selection.
  const visitor = await byPassword()
  expect(visitor.remediations).toEqual(['challenge-authenticator', ...select])
  await visitor.answers(codeAt(String(sharedSecret), idp.clock.now()))
  expect(visitor.remediations).toEqual(enroll)
  const passkey = newPasskey()
  const { challenge } = activationOf(await visitor.enrolls('webauthn'))
  expect((await sends(visitor, passkey.create(challenge))).interactionCode).toBeDefined()
})

test('a user with a phone enrols the app that a rule names, once the phone is proven', async () => {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED', phone_number: 'OPTIONAL' })
  await idp.factors.enroll(mary, { phone_number: { phoneNumber: number } })
  const authenticationMethods = [{ key: 'google_otp', method: 'otp' }]
  await appRule(idp, {
    factorMode: '2FA',
    constraints: [{ possession: { required: true, authenticationMethods } }],
  })

  const visitor = await byPassword()
  expect(visitor.remediations).toContain(select[0])
  expect((await visitor.enrolls('google_otp')).status).toBe(400)
  await visitor.selects('phone_number', { methodType: 'sms' })
  await visitor.answers((await idp.outbox.waitFor({ to: number })).code ?? '')
  expect(visitor.remediations).toEqual(enroll)
  expect((await enrolsApp(visitor)).interactionCode).toBeDefined()
})

test('a user with a question alone enrols the second factor, once the question is answered', async () => {
  await enrollmentPolicy(idp, { security_question: 'OPTIONAL', google_otp: 'REQUIRED' })
  const api = apiOf(idp)
  const email = (await api('GET', '/authenticators')).list.find(({ key }) => key === 'okta_email')
  const settings = { ...(email?.settings as object), allowedFor: 'recovery' }
  expect((await api('PUT', `/authenticators/${email?.id}`, { ...email, settings })).status).toBe(200)
  await idp.factors.enroll(mary, { security_question: { answer: 'marmalade' } })
  await twoFactors(idp)

  const visitor = await byPassword()
  expect(visitor.remediations).toContain(select[0])
  await visitor.selects('security_question')
  await visitor.submits('challenge/answer', { credentials: { answer: 'marmalade' } })
  expect(visitor.remediations).toEqual(enroll)
  expect((await enrolsApp(visitor)).interactionCode).toBeDefined()
})

// A recovery enrols nothing: what is due ends it without a sign-in, what may be put off does not.

async function recovers() {
  const visitor = newVisitor(idp)
  await visitor.atTheReset()
  return visitor.answers(newPassword)
}
const gracePeriod = (days: number) => ({
  type: 'BY_DATE_TIME',
  expiry: new Date(idp.clock.now() + days * 86_400_000).toISOString(),
})

test('a recovery signs in a user who has never signed in, where an enrolment is optional', async () => {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  expect((await recovers()).interactionCode).toBeDefined()
})

test('a recovery signs in where what is required may be put off', async () => {
  await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod: gracePeriod(30) }))
  expect((await recovers()).interactionCode).toBeDefined()
})

test('a recovery ends without a sign-in where an enrolment is due', async () => {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const done = await recovers()
  expect([done.interactionCode, ...done.messages]).toEqual([undefined, 'idx.recovery.completed'])
})
