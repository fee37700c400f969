import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import {
  changeSignUp,
  codeMail,
  fillsIn,
  openSignUp,
  passwordInForm,
  toTheForm,
  unverified,
} from '../support/sign-up.ts'
import { changeRule } from './recovery-rules.ts'
import { enrollmentPolicy } from './totp.ts'
import { newVisitor } from './visitor.ts'

// Sign-ups where mails prove nothing at a sign-in: the mail of a sign-up proves an address, whatever the email authenticator is for.
const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'
let idp: Kit
beforeAll(async () => {
  idp = await startEngine(openSignUp())
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

async function email(change: object | 'deactivate'): Promise<void> {
  const api = apiOf(idp)
  const no = { access: 'DENY' }
  await changeRule(idp, (all) => ({ ...all, selfServicePasswordReset: no, selfServiceUnlock: no }))
  const { id } = (await api('GET', '/authenticators')).list.find(({ key }) => key === 'okta_email') ?? {}
  const { status, text } =
    change === 'deactivate'
      ? await api('POST', `/authenticators/${id}/lifecycle/deactivate`)
      : await api('PUT', `/authenticators/${id}`, { name: 'Email', settings: change })
  expect([status, text]).toEqual([200, expect.any(String)])
}

const ways = {
  inactive: () => email('deactivate'),
  'for recovery alone': () => email({ allowedFor: 'recovery' }),
  'for nothing': () => email({ allowedFor: 'none' }),
  'not allowed by the enrolment policy': () => enrollmentPolicy(idp, { okta_email: 'NOT_ALLOWED' }),
}
const shapes = {
  'a mail, then the password': {},
  'the password in the form, then a mail': passwordInForm,
  'the password alone, no mail': unverified,
  'the password in the form, no mail': { ...unverified, ...passwordInForm },
}

describe.each(Object.entries(ways))('the email authenticator is %s', (_, prepare) => {
  test.each(Object.entries(shapes))('%s: a visitor signs up, and signs in again', async (_, shape) => {
    await changeSignUp(idp, shape)
    await prepare()
    const hasPassword = 'enrollAuthenticatorTypes' in shape
    const hasMail = !('activationRequirements' in shape)
    const visitor = await fillsIn(
      newVisitor(idp),
      nina,
      hasPassword ? { credentials: { passcode: password } } : {},
    )
    expect(visitor.response.status).toBe(200)
    if (hasMail) {
      expect(visitor.remediations[0]).toBe('enroll-authenticator')
      await visitor.answers((await visitor.mail(nina.email, codeMail)).code)
    }
    if (!hasPassword) {
      await visitor.enrolls('okta_password')
      await visitor.answers(password)
    }
    expect(visitor.response.interactionCode).toBeDefined()
    const again = newVisitor(idp)
    await again.begins()
    expect((await again.signsIn(nina.email, password)).interactionCode).toBeDefined()
  })

  test('an address that is taken is answered as any other, and no form ends in an error of the engine', async () => {
    await prepare()
    const taken = await fillsIn(newVisitor(idp), { ...nina, email: idp.person.login })
    const free = await fillsIn(newVisitor(idp), nina)
    expect([taken.response.status, taken.remediations]).toEqual([200, free.remediations])
    const again = await toTheForm(newVisitor(idp))
    expect((await again.submits('enroll/new', { userProfile: {} })).status).toBe(400)
  })
})
