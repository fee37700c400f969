import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { openSignUp } from '../support/sign-up.ts'
import { codeAt, enrollmentPolicy, period, twoFactors } from '../wire/totp.ts'
import { wrong } from '../wire/visitor.ts'

// The engine's own sign-in pages, in a browser without JavaScript.

const newPassword = 'Marmalade-Harbour-31'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine(openSignUp({ policies: { password: { recovery: { unlock: true } } } }))
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const mary = () => ({ identifier: idp.person.login, 'credentials.passcode': idp.person.password })
const codeOf = async (to: string) => (await idp.outbox.waitFor({ to })).code ?? ''
const isCode = expect.stringMatching(/^[\w-]{43}$/)
const secretOn = (text: string): string =>
  [...(/<code dir="ltr">(.*?)<\/code>/.exec(text)?.[1] ?? '').matchAll(/<span>(\w+)<\/span>/g)]
    .map(([, group]) => group)
    .join('')

describe('without JavaScript', () => {
  test('a sign-in by password leads to the app, after a wrong one was named in the page', async () => {
    const browser = newHostedBrowser(idp)
    const page = await browser.begins()
    expect(page).toMatchObject({ status: 200, title: 'Sign in', errors: [] })
    expect(page.forms[0]).toBe('identify')
    const again = await browser.submits('identify', { ...mary(), 'credentials.passcode': 'not it' })
    expect(again.errors).toEqual(['That did not work. Check your username and password.'])
    expect(again.text).toContain('<title>Error: Sign in')
    // What was typed is there, but for the password.
    expect(again.text).toContain(`value="${idp.person.login}"`)
    expect(again.text).not.toContain('not it')
    // A reload shows the page without the error.
    expect((await browser.opens()).errors).toEqual([])
    await browser.submits('identify', mary())
    expect(browser.arrived?.searchParams.get('interaction_code')).toEqual(isCode)
    expect(browser.jar.has('rekey_tx')).toBe(false)
  })

  test('a password is recovered by a code, and a wrong one stands below its field', async () => {
    const browser = newHostedBrowser(idp)
    await browser.begins()
    expect((await browser.submits('recover')).title).toBe('Reset your password')
    let page = await browser.submits('identify-recovery', { identifier: idp.person.login })
    if (page.forms[0] === 'select-authenticator-authenticate') {
      page = await browser.submits('select-authenticator-authenticate', { choice: '0' })
    }
    expect(page.title).toBe('Check your mail')
    const code = await codeOf(idp.person.login)
    const refused = await browser.submits('challenge-authenticator', {
      'credentials.passcode': wrong(code),
    })
    expect(refused.errors).toEqual(['This code is not right. Check it and try again.'])
    expect(refused.text).toMatch(
      /aria-invalid="true" aria-describedby="credentials.passcode-error"[^>]* autofocus/,
    )
    const reset = await browser.submits('challenge-authenticator', { 'credentials.passcode': code })
    expect(reset.title).toBe('Choose a new password')
    expect(reset.text).toContain('autocomplete="new-password"')
    await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(browser.arrived?.searchParams.get('interaction_code')).toEqual(isCode)
  })

  test('an authenticator app is set up and signed in with', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const browser = newHostedBrowser(idp)
    await browser.begins()
    expect((await browser.submits('identify', mary())).title).toBe('Set up a way to sign in')
    const shown = await browser.submits('select-authenticator-enroll', { choice: '0' })
    expect(shown.title).toBe('Set up your authenticator app')
    const secret = secretOn(shown.text)
    expect(shown.text).toContain('<img class="qr" src="data:image/png;base64,')
    await browser.submits('enroll-authenticator', {
      'credentials.passcode': codeAt(secret, idp.clock.now()),
    })
    expect(browser.arrived).toBeDefined()

    await twoFactors(idp)
    idp.clock.advance(10 * period)
    const next = newHostedBrowser(idp)
    await next.begins()
    const chosen = await next.submits('identify', mary())
    expect(chosen.title).toBe('Confirm that it is you')
    const [, choice = ''] =
      /name="choice" value="(\d+)"[^>]*>(?:(?!<\/button>)[\s\S])*Authenticator app/.exec(
        chosen.text.replaceAll('<li>', '\n<li>'),
      ) ?? []
    expect((await next.submits('select-authenticator-authenticate', { choice })).title).toBe(
      'Enter the code from your app',
    )
    await next.submits('challenge-authenticator', {
      'credentials.passcode': codeAt(secret, idp.clock.now()),
    })
    expect(next.arrived?.searchParams.get('interaction_code')).toEqual(isCode)
  })

  test('an account is made', async () => {
    const browser = newHostedBrowser(idp)
    await browser.begins()
    const form = await browser.submits('select-enroll-profile')
    expect(form.title).toBe('Create your account')
    for (const name of ['given-name', 'family-name', 'email']) {
      expect(form.text).toContain(`autocomplete="${name}"`)
    }
    const nina = {
      'userProfile.email': 'nina',
      'userProfile.firstName': 'Nina',
      'userProfile.lastName': 'Nowak',
    }
    const refused = await browser.submits('enroll-profile', nina)
    expect(refused.errors).toEqual([expect.stringContaining('This is not an email address.')])
    expect(refused.text).toContain('value="Nowak"')
    const mail = await browser.submits('enroll-profile', { ...nina, 'userProfile.email': 'nina@example.com' })
    expect(mail.title).toBe('Check your mail')
    let page = await browser.submits('enroll-authenticator', {
      'credentials.passcode': await codeOf('nina@example.com'),
    })
    if (page.forms[0] === 'select-authenticator-enroll') {
      page = await browser.submits('select-authenticator-enroll', { choice: '0' })
    }
    expect(page.title).toBe('Choose a password')
    page = await browser.submits('enroll-authenticator', { 'credentials.passcode': newPassword })
    if (browser.arrived === undefined) await browser.submits('skip')
    expect(browser.arrived?.searchParams.get('interaction_code')).toEqual(isCode)
  })

  test('an end stays through a reload, and leads to the app', async () => {
    const locked = 'lee@example.com'
    await idp.people.add({ login: locked, password: 'Tangerine-Kettle-42', status: 'LOCKED_OUT' })
    const browser = newHostedBrowser(idp)
    await browser.begins()
    await browser.submits('unlock-account')
    const page = await browser.submits('select-authenticator-unlock-account', {
      identifier: locked,
      choice: '0',
    })
    expect(page.title).toBe('Check your mail')
    const end = await browser.submits('challenge-authenticator', {
      'credentials.passcode': await codeOf(locked),
    })
    expect(end).toMatchObject({ status: 200, title: 'That is all' })
    expect(end.text).toContain('Your account is unlocked.')
    expect((await browser.opens()).text).toContain('Your account is unlocked.')
  })
})

test('an answer that is refused is not shown again, and what was written of the question is', async () => {
  await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
  const browser = newHostedBrowser(idp)
  await browser.begins()
  await browser.submits('identify', mary())
  await browser.submits('select-authenticator-enroll', { choice: '0' })
  const own = { choice: '1', 'credentials.question': 'Which bridge was it?' }
  const page = await browser.submits('enroll-authenticator', { ...own, 'credentials.answer': 'qzx' })
  expect(page.errors).toEqual([expect.stringContaining('at least 4 characters')])
  expect(page.text).toContain('value="Which bridge was it?"')
  expect(page.text).toMatch(/name="choice" value="1" checked/)
  expect(page.text).not.toContain('qzx')
  await browser.submits('enroll-authenticator', { ...own, 'credentials.answer': 'the old one' })
  expect(browser.arrived).toBeDefined()
})

describe('a way on', () => {
  test('without a transaction the page says where one begins', async () => {
    expect(await newHostedBrowser(idp).opens()).toMatchObject({
      status: 400,
      title: 'There is no sign-in under way',
    })
  })

  test('an expired transaction leads to the app', async () => {
    const browser = newHostedBrowser(idp)
    await browser.begins()
    await idp.clock.advance('3h')
    const page = await browser.opens()
    expect(page).toMatchObject({ status: 400, title: 'This sign-in has ended' })
    expect(page.text).toMatch(/<a class="primary" href="http[^"]+">Go to /)
    expect((await browser.submits('identify', mary(), page).catch(() => page)).title).toBe(
      'This sign-in has ended',
    )
  })

  test('Back, and a second tab: the form of an earlier page is not taken for the present one', async () => {
    const browser = newHostedBrowser(idp)
    const first = await browser.begins()
    await browser.submits('recover')
    const page = await browser.submits('identify', mary(), first)
    expect(page).toMatchObject({
      title: 'Reset your password',
      errors: ['You went on in another tab or window. This is where you are now.'],
    })
    expect(browser.arrived).toBeUndefined()
  })

  test('the way out leads to the first page of the same request', async () => {
    const browser = newHostedBrowser(idp)
    await browser.begins()
    await browser.submits('recover')
    const forms = browser.page.forms
    await browser.submits(forms.includes('cancel') ? 'cancel' : 'select-identify')
    expect(browser.page.title).toBe('Sign in')
    await browser.submits('identify', mary())
    expect(browser.arrived).toBeDefined()
  })
})
