import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { activationOf, challengeOf, newPasskey, passkeyEngine, sends } from './passkeys.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen', ...passkeyEngine })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const signsIn = async (): Promise<Visitor> => {
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  return visitor
}
const direct = ['challenge-authenticator', 'select-authenticator-authenticate']

/** Enrols an app at a sign-in; answers its secret. The next sign-in asks for a second factor. */
async function withApp(others: Parameters<typeof enrollmentPolicy>[1]): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED', ...others })
  const visitor = await signsIn()
  const secret = secretIn(await visitor.enrolls('google_otp'))
  await visitor.answers(codeAt(secret, idp.clock.now()))
  await twoFactors(idp)
  idp.clock.advance(10 * period)
  return secret
}

test('an authenticator app that is the only second factor is asked for at once, and may be chosen all the same', async () => {
  const secret = await withApp({ okta_email: 'NOT_ALLOWED' })
  const visitor = await signsIn()
  expect(visitor.remediations).toEqual(direct)
  const done = await visitor.answers(codeAt(secret, idp.clock.now()))
  expect(done.interactionCode).toBeDefined()

  idp.clock.advance(10 * period)
  const other = await signsIn()
  expect((await other.selects('google_otp')).remediations).toEqual(direct)
  expect((await other.answers('000000')).messages).not.toEqual([])
  expect((await other.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
})

test('a passkey that is the only one, too', async () => {
  await enrollmentPolicy(idp, { webauthn: 'REQUIRED', okta_email: 'NOT_ALLOWED' })
  const visitor = await signsIn()
  const passkey = newPasskey()
  const seen = await visitor.enrolls('webauthn')
  await sends(visitor, passkey.create(activationOf(seen).challenge))
  await twoFactors(idp)
  const next = await signsIn()
  expect(next.remediations).toEqual(direct)
  const done = await sends(next, passkey.get(challengeOf(next.response).challenge))
  expect(done.interactionCode).toBeDefined()
})

test('where there are two, and where the only one is a mail, it is a choice', async () => {
  await withApp({})
  expect((await signsIn()).remediations).toEqual(['select-authenticator-authenticate'])
  await idp.reset()
  await twoFactors(idp)
  const visitor = await signsIn()
  expect(visitor.remediations).toEqual(['select-authenticator-authenticate'])
  expect(idp.outbox.all()).toEqual([])
})

test('a recovery shows its choices as before', async () => {
  await withApp({ okta_email: 'OPTIONAL' })
  const visitor = newVisitor(idp)
  await visitor.atTheCode(idp.person.login)
  const { code } = await visitor.mail(idp.person.login, 'ForgotPassword')
  expect((await visitor.answers(code)).remediations).toEqual(['select-authenticator-authenticate'])
})
