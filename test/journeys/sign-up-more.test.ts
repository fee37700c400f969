import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { majors, newBrowser, openLink, sdk } from '../support/sdk.ts'
import { changeSignUp, codeMail, openSignUp, passwordInForm } from '../support/sign-up.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// What apps do besides in a sign-up: everything in one call, attributes of one's own, forms that are sent twice.

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'
const custom = {
  color: { type: 'string', title: 'Favourite colour', enum: ['red', 'blue'] },
  news: { type: 'boolean', title: 'Send me the news' },
  pet: { type: 'boolean', title: 'Do you have a pet?' },
  bird: { type: 'boolean', title: 'I have a bird' },
  age: { type: 'integer', title: 'Age' },
}
const profileAttributes = [
  { name: 'email', label: 'Email', required: true },
  { name: 'firstName', label: 'First name', required: true },
  { name: 'lastName', label: 'Last name', required: false },
  { name: 'color', label: 'Favourite colour', required: true },
  { name: 'news', label: 'Send me the news', required: false },
  { name: 'bird', label: 'I have a bird', required: true, inputType: 'checkbox' },
  { name: 'age', label: 'Age', required: false },
  { name: 'city', label: 'Town', required: false },
]
const pet = { name: 'pet', label: 'Do you have a pet?', required: true }

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(openSignUp())
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const codeOf = async (to = nina.email) => (await idp.outbox.waitFor({ to, template: codeMail })).code ?? ''
const userOf = async (login = nina.email) => (await apiOf(idp)('GET', `/users/${login}`)).body
async function asksForMore(...more: readonly object[]): Promise<void> {
  await apiOf(idp)('POST', '/meta/schemas/user/default', { definitions: { custom: { properties: custom } } })
  await changeSignUp(idp, { profileAttributes: [...profileAttributes, ...more] })
}

describe.each([...majors])('with okta-auth-js %i', (major) => {
  test('register with a list of authenticators stops at the mailbox, and nothing is made before its proof', async () => {
    await enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'OPTIONAL' })
    const auth = sdk(idp, { major })
    const authenticators = ['okta_email', 'okta_password'] as never[]
    let now = await auth.idx.register({ ...nina, password, authenticators })
    expect((await userOf()).errorCode).toBe('E0000007')
    // Major 6 chooses the mailbox of the list anew, and may stop at the choice.
    if (now.nextStep?.name === 'select-authenticator-enroll') {
      now = await auth.idx.proceed({ authenticator: 'okta_email' })
    }
    expect(now).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'enroll-authenticator', authenticator: { key: 'okta_email' } },
    })
    await idp.engine.delivery.idle()
    now = await auth.idx.proceed({ verificationCode: await codeOf() })
    if (now.nextStep?.name === 'select-authenticator-enroll' && now.nextStep.canSkip !== true) {
      now = await auth.idx.proceed({ authenticator: 'okta_password' })
    }
    if (now.nextStep?.name === 'enroll-authenticator') now = await auth.idx.proceed({ password })
    expect(now).toMatchObject({ status: 'PENDING', nextStep: { canSkip: true } })
    now = await auth.idx.proceed({ skip: true })
    expect([now.status, (await userOf()).status]).toEqual(['SUCCESS', 'ACTIVE'])
  })

  test('attributes of one’s own: a value of a list, booleans that are false, optional ones that are empty', async () => {
    await asksForMore()
    const auth = sdk(idp, { major })
    const asked = await auth.idx.register()
    expect(asked.nextStep?.inputs?.map(({ name }) => name)).toEqual(profileAttributes.map(({ name }) => name))
    const values = { ...nina, color: 'blue', news: false, bird: false, age: '', city: '', lastName: '' }
    const sent = await auth.idx.proceed(values as never)
    expect(sent).toMatchObject({ nextStep: { name: 'enroll-authenticator' } })
    await auth.idx.proceed({ verificationCode: await codeOf() })
    const { profile } = await userOf()
    expect(profile).toMatchObject({ color: 'blue', bird: false, firstName: 'Nina' })
    const { news = false, age, city, lastName } = profile as Record<string, unknown>
    expect([news, age, city, lastName ?? null]).toEqual([false, undefined, undefined, null])
  })

  test('a required boolean is answered by the text of its button', async () => {
    await asksForMore(pet)
    const auth = sdk(idp, { major })
    await auth.idx.register()
    const sent = await auth.idx.proceed({
      ...nina,
      color: 'red',
      age: '30',
      pet: 'false',
      bird: true,
    } as never)
    expect(sent).toMatchObject({ nextStep: { name: 'enroll-authenticator' } })
    await auth.idx.proceed({ verificationCode: await codeOf() })
    expect((await userOf()).profile).toMatchObject({ pet: false, bird: true, age: 30 })
  })

  test('terms that were not agreed to are said in their field, and then agreed to', async () => {
    const terms = { version: '3', url: 'https://example.com/terms' }
    const own = await startEngine(openSignUp({ signUp: { terms } }))
    try {
      const auth = sdk(own, { major })
      await auth.idx.register()
      const refused = await auth.idx.proceed({ ...nina, termsAccepted: false } as never)
      expect(refused).toMatchObject({ status: 'PENDING' })
      expect(JSON.stringify(refused)).toContain('registration.error.termsNotAccepted')
      const sent = await auth.idx.proceed({ ...nina, termsAccepted: true } as never)
      expect(sent).toMatchObject({ nextStep: { name: 'enroll-authenticator' } })
    } finally {
      await own.close()
    }
  })

  test('a form that was refused is sent again: the mail leaves once', async () => {
    await changeSignUp(idp, passwordInForm)
    const paths: string[] = []
    const original = globalThis.fetch
    const auth = sdk(idp, { major })
    globalThis.fetch = (input, init) => {
      paths.push(new URL(String(input instanceof Request ? input.url : input)).pathname)
      return original(input, init)
    }
    try {
      await auth.idx.register()
      const refused = await auth.idx.proceed({ ...nina, email: 'nina', passcode: 'short' } as never)
      expect(refused).toMatchObject({ status: 'PENDING', nextStep: { name: 'enroll-profile' } })
      const text = JSON.stringify(refused)
      expect(text).toContain('registration.error.invalidLoginEmail')
      const sent = await auth.idx.proceed({ ...nina, passcode: password } as never)
      expect(sent).toMatchObject({ nextStep: { name: 'enroll-authenticator' } })
    } finally {
      globalThis.fetch = original
    }
    const last = paths.filter((path) => path.startsWith('/idp/idx/enroll'))
    expect(last).toEqual(['/idp/idx/enroll', '/idp/idx/enroll/new', '/idp/idx/enroll/new'])
    const done = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect(done.status).toBe('SUCCESS')
    const mails = idp.outbox.all().filter(({ template }) => template === codeMail)
    expect(mails).toHaveLength(1)
  })

  test('a password that is optional is skipped', async () => {
    await enrollmentPolicy(idp, { okta_password: 'OPTIONAL' })
    const auth = sdk(idp, { major })
    await auth.idx.register()
    await auth.idx.proceed(nina)
    const chosen = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect(chosen.nextStep).toMatchObject({ canSkip: true })
    expect((await auth.idx.proceed({ skip: true })).status).toBe('SUCCESS')
  })
})

describe('with okta-auth-js 8 in step mode', () => {
  const step = (browser = newBrowser()) => sdk(idp, { major: 8, mode: 'step', browser })
  async function atTheForm(auth = step()) {
    await auth.idx.start()
    await auth.idx.proceed({ step: 'select-enroll-profile' })
    return auth
  }
  const sends = (auth: ReturnType<typeof step>, userProfile: object, more: object = {}) =>
    auth.idx.proceed({ step: 'enroll-profile', userProfile, ...more } as never)
  const names = ({ availableSteps = [] }: { availableSteps?: readonly { name: string }[] }) =>
    availableSteps.map(({ name }) => name)

  test('attributes of one’s own, refused once, and what is optional is skipped', async () => {
    await asksForMore(pet)
    await enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'OPTIONAL' })
    const auth = await atTheForm()
    const values = { ...nina, color: 'blue', news: false, bird: false, pet: false, age: '30', city: '' }
    const refused = await sends(auth, { ...values, color: 'green' })
    expect([names(refused), JSON.stringify(refused)]).toEqual([
      ['enroll-profile', 'cancel'],
      expect.stringContaining('registration.error.notAllowedValue'),
    ])
    expect(names(await sends(auth, values))).toContain('enroll-authenticator')
    await auth.idx.proceed({ step: 'enroll-authenticator', credentials: { passcode: await codeOf() } })
    expect((await userOf()).profile).toMatchObject({
      color: 'blue',
      news: false,
      bird: false,
      pet: false,
      age: 30,
    })
    await auth.idx.proceed({ step: 'select-authenticator-enroll', authenticator: 'okta_password' })
    const chosen = await auth.idx.proceed({
      step: 'enroll-authenticator',
      credentials: { passcode: password },
    })
    expect(names(chosen)).toContain('skip')
    expect((await auth.idx.proceed({ step: 'skip' })).status).toBe('SUCCESS')
  })

  test('the password in the form', async () => {
    await changeSignUp(idp, passwordInForm)
    const auth = await atTheForm()
    const refused = await sends(auth, nina, { credentials: { passcode: 'short' } })
    expect(JSON.stringify(refused)).toContain('password.passwordRequirementsNotMet')
    await sends(auth, nina, { credentials: { passcode: password } })
    const done = await auth.idx.proceed({
      step: 'enroll-authenticator',
      credentials: { passcode: await codeOf() },
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('register by the name of the step', async () => {
    const auth = step()
    const asked = await auth.idx.register({ step: 'select-enroll-profile' })
    expect(names(asked)).toEqual(['enroll-profile', 'cancel'])
    expect(names(await sends(auth, nina))).toContain('enroll-authenticator')
  })

  test('the link of the mail goes on in the same browser', async () => {
    const browser = newBrowser()
    await sends(await atTheForm(step(browser)), nina)
    const { link } = await idp.outbox.waitFor({ to: nina.email, template: codeMail })
    const { search } = await openLink(link ?? '')
    const tab = step(browser)
    // This call names no step, which this mode asks for: the page answers the code by the name of the step.
    await expect(tab.idx.handleEmailVerifyCallback(search)).rejects.toThrow(/No `step`/)
    const passcode = new URLSearchParams(search).get('otp') ?? ''
    const proven = await tab.idx.proceed({ step: 'enroll-authenticator', credentials: { passcode } })
    expect(names(proven)).toContain('select-authenticator-enroll')
  })
})
