import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { majors, newBrowser, openLink, sdk } from '../support/sdk.ts'
import { codeMail, openSignUp } from '../support/sign-up.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const password = 'Marmalade-Harbour-31'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine(openSignUp())
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const mailOf = (to = nina.email) => idp.outbox.waitFor({ to, template: codeMail })
const statusOf = async (login = nina.email) => (await apiOf(idp)('GET', `/users/${login}`)).body.status

type Transaction = Awaited<ReturnType<ReturnType<typeof sdk>['idx']['register']>>

/** The names that a registration of the SDK knows: any other ends it (okta-auth-js #1646). */
const known =
  /^(enroll-.*|select-authenticator-enroll|skip|authenticator-enrollment-data|select-identify|cancel|issue|currentAuthenticator-(resend|poll))$/
const namesIn = ({ neededToProceed, nextStep, availableSteps = [] }: Transaction) => [
  ...(neededToProceed ?? []).map(({ name }) => name),
  ...(nextStep ? [nextStep.name] : []),
  ...availableSteps.map(({ name }) => name),
]
const unknownIn = (names: readonly string[]) => names.filter((name) => !known.test(name))

describe.each([...majors])('with okta-auth-js %i', (major) => {
  test('R-F1: register goes to its end, and meets no form that it does not know', async () => {
    await enrollmentPolicy(idp, { okta_password: 'REQUIRED', google_otp: 'OPTIONAL' })
    const auth = sdk(idp, { major })
    const seen: Transaction[] = []
    const noted = (one: Transaction) => {
      seen.push(one)
      return one
    }
    expect(noted(await auth.idx.register())).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'enroll-profile' },
    })
    expect(noted(await auth.idx.proceed(nina))).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'enroll-authenticator', authenticator: { key: 'okta_email' } },
    })
    const { code } = await mailOf()
    expect(noted(await auth.idx.proceed({ verificationCode: code ?? '' }))).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'select-authenticator-enroll' },
    })
    noted(await auth.idx.proceed({ authenticator: 'okta_password' }))
    const chosen = noted(await auth.idx.proceed({ password }))
    expect(chosen).toMatchObject({ status: 'PENDING', nextStep: { canSkip: true } })
    const { status, tokens } = noted(await auth.idx.proceed({ skip: true }))
    expect([status, tokens?.idToken?.claims.email]).toEqual(['SUCCESS', nina.email])
    expect(await statusOf()).toBe('ACTIVE')
    expect(unknownIn(seen.flatMap(namesIn))).toEqual([])
  })

  test('register with everything at once stops at the code of the mail', async () => {
    const auth = sdk(idp, { major })
    const asked = await auth.idx.register({ ...nina, password })
    expect(asked).toMatchObject({ status: 'PENDING', nextStep: { name: 'enroll-authenticator' } })
    const { code } = await mailOf()
    let now = await auth.idx.proceed({ verificationCode: code ?? '' })
    if (now.status !== 'SUCCESS') now = await auth.idx.proceed({ authenticator: 'okta_password' })
    if (now.status !== 'SUCCESS') now = await auth.idx.proceed({ password })
    expect(now.status).toBe('SUCCESS')
  })

  test('a form that is not accepted is filled in again', async () => {
    const auth = sdk(idp, { major })
    await auth.idx.register()
    const refused = await auth.idx.proceed({ ...nina, email: 'nina' })
    expect(refused).toMatchObject({ status: 'PENDING' })
    expect(await auth.idx.proceed(nina)).toMatchObject({ nextStep: { name: 'enroll-authenticator' } })
  })

  test('the link of the mail goes on in the same browser', async () => {
    const browser = newBrowser()
    const auth = sdk(idp, { major, browser })
    await auth.idx.register()
    await auth.idx.proceed(nina)
    const { search } = await openLink((await mailOf()).link ?? '')
    const tab = sdk(idp, { major, browser })
    const back = await tab.idx.handleEmailVerifyCallback(search)
    expect(back).toMatchObject({ status: 'PENDING', nextStep: { name: 'select-authenticator-enroll' } })
    await tab.idx.proceed({ authenticator: 'okta_password' })
    expect((await tab.idx.proceed({ password })).status).toBe('SUCCESS')
  })

  test('the link of the mail shows the code in another browser, and the page that waits takes it', async () => {
    const auth = sdk(idp, { major })
    await auth.idx.register()
    await auth.idx.proceed(nina)
    const { link, code } = await mailOf()
    const { search } = await openLink(link ?? '')
    const phone = sdk(idp, { major, browser: newBrowser() })
    await expect(phone.idx.handleEmailVerifyCallback(search)).rejects.toMatchObject({
      name: 'EmailVerifyCallbackError',
    })
    const shown = new URLSearchParams(search).get('otp')
    expect(shown).toBe(code)
    expect(await auth.idx.proceed({ verificationCode: shown ?? '' })).toMatchObject({
      nextStep: { name: 'select-authenticator-enroll' },
    })
  })
})

test('with okta-auth-js 8 in step mode: profile, code, password', async () => {
  const auth = sdk(idp, { major: 8, mode: 'step' })
  await auth.idx.start()
  await auth.idx.proceed({ step: 'select-enroll-profile' })
  const sent = await auth.idx.proceed({ step: 'enroll-profile', ...{ userProfile: nina } })
  expect(sent.availableSteps?.map(({ name }) => name)).toContain('enroll-authenticator')
  const { code } = await mailOf()
  await auth.idx.proceed({ step: 'enroll-authenticator', credentials: { passcode: code ?? '' } })
  await auth.idx.proceed({ step: 'select-authenticator-enroll', authenticator: 'okta_password' })
  const { status } = await auth.idx.proceed({
    step: 'enroll-authenticator',
    credentials: { passcode: password },
  })
  expect([status, await statusOf()]).toEqual(['SUCCESS', 'ACTIVE'])
})

test('a page that waits sees the end, which another one brought about', async () => {
  const browser = newBrowser()
  const auth = sdk(idp, { browser })
  await auth.idx.register()
  const { context } = await auth.idx.proceed(nina)
  const stateHandle = context?.stateHandle ?? ''
  const tab = sdk(idp, { browser })
  await tab.idx.handleEmailVerifyCallback((await openLink((await mailOf()).link ?? '')).search)
  await tab.idx.proceed({ authenticator: 'okta_password' })
  const ends = await tab.idx.proceed({ password })
  expect(ends.status).toBe('SUCCESS')
  const poll = await fetch(`${idp.engineUrl}/idp/idx/challenge/poll`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stateHandle }),
  })
  const { messages } = (await poll.json()) as { messages: { value: { i18n: { key: string } }[] } }
  expect([poll.status, messages.value[0]?.i18n.key]).toEqual([200, 'idx.transferred.to.new.tab'])
})
