import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { openSignUp } from '../support/sign-up.ts'
import { redirectUri } from '../wire/oauth-app.ts'

// Pages of the engine that no app leads to: deep links, and the links of an administrator's mails.

const newPassword = 'Marmalade-Harbour-31'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine({
    ...openSignUp({ policies: { password: { recovery: { unlock: true } } } }),
    clients: [
      {
        id: 'shop',
        label: 'Shop',
        applicationType: 'browser',
        redirectUris: [redirectUri],
        grantTypes: ['authorization_code'],
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const mary = () => ({ identifier: idp.person.login, 'credentials.passcode': idp.person.password })
const codeOf = async (to: string) => (await idp.outbox.waitFor({ to })).code ?? ''
const at = (path: string, browser: HostedBrowser = newHostedBrowser(idp)) =>
  browser.opens(path).then((page) => ({ browser, page }))

/** From the name on to the page after the code of a mail. */
async function provesMailbox(browser: HostedBrowser) {
  const page = await browser.submits('identify-recovery', { identifier: idp.person.login })
  if (page.forms[0] === 'select-authenticator-authenticate') {
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  return browser.submits('challenge-authenticator', {
    'credentials.passcode': await codeOf(idp.person.login),
  })
}

describe('deep links', () => {
  test.each([
    ['forgot-password', 'Reset your password'],
    ['register', 'Create your account'],
    ['unlock', 'Unlock your account'],
  ])('/signin/%s begins a transaction at its page', async (name, title) => {
    const { browser, page } = await at(`/signin/${name}`)
    expect(page).toMatchObject({ status: 200, title })
    // A reload shows the same, and Back leads to the sign-in as ever.
    expect((await browser.opens()).title).toBe(title)
  })

  test('a recovery without an app ends signed in, on a page that names the apps of the user', async () => {
    const { browser } = await at('/signin/forgot-password')
    expect((await provesMailbox(browser)).title).toBe('Choose a new password')
    const end = await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(end.title).toBe('You are signed in')
    // On a computer that others use: who it is, and the way out, which asks first and has a way back.
    expect(end.text).toMatch(new RegExp(`class="who">.*${mary().identifier}`, 's'))
    expect(end.text).toContain(`href="${idp.engineUrl}/login/signout"`)
    const asked = newHostedBrowser(idp)
    for (const [name, value] of browser.jar) asked.jar.set(name, value)
    const question = await asked.opens('/login/signout')
    expect(question.text).toContain(`<a href="${idp.engineUrl}/signin/done">Stay signed in</a>`)
    expect(end.text).toContain(`href="${new URL(redirectUri).origin}"`)
    expect(browser.jar.has('rekey_session')).toBe(true)
    expect(browser.jar.has('rekey_tx')).toBe(false)
    // The app that comes next asks for nothing.
    await browser.opens(authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid' }))
    expect(browser.arrived?.searchParams.get('code')).toBeTruthy()
  })

  test('no code of it leaves, and none can be redeemed in its name', async () => {
    const { browser } = await at('/signin/forgot-password')
    await browser.submits('select-identify').catch(() => browser.submits('cancel'))
    const response = await browser.posts({
      ...Object.fromEntries(
        [...browser.page.text.matchAll(/name="(form|page)" value="([^"]+)"/g)]
          .slice(0, 2)
          .map(([, name = '', value = '']) => [name, value]),
      ),
      ...mary(),
    })
    const target = response.headers.get('location') ?? ''
    expect(target).toContain('/login/token/redirect?')
    const page = await browser.opens(target)
    expect(page.title).toBe('You are signed in')
    expect(page.text).not.toContain('code=')
    const token = await fetch(`${idp.issuer}/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', code: 'x'.repeat(43), client_id: 'rekey:pages' },
        ...{ redirect_uri: `${idp.engineUrl}/signin/done`, code_verifier: 'v'.repeat(43) },
      }),
    })
    expect(token.status).toBe(401)
  })

  test('in the browser that an app has sent here the new transaction is for that app, and the other stays as it is', async () => {
    const browser = newHostedBrowser(idp)
    expect((await browser.opens(authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid' }))).title).toBe(
      'Sign in',
    )
    const former = browser.jar.get('rekey_tx') ?? ''
    const page = await browser.opens('/signin/forgot-password')
    expect(page.title).toBe('Reset your password')
    expect(browser.jar.get('rekey_tx')).not.toBe(former)
    await provesMailbox(browser)
    await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(browser.arrived?.href).toContain(redirectUri)
    expect(browser.arrived?.searchParams.get('state')).toBe('a state')
    const other = newHostedBrowser(idp)
    other.jar.set('rekey_tx', former)
    expect((await other.opens()).title).toBe('Sign in')
  })

  test('what the request of an app begins with stays there: from a sign-up one comes to the recovery', async () => {
    const browser = newHostedBrowser(idp)
    await browser.opens(authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid', prompt: 'create' }))
    expect(browser.page.title).toBe('Create your account')
    expect((await browser.opens('/signin/forgot-password')).title).toBe('Reset your password')
  })

  test('who is signed in and comes back to a page of a sign-in is shown the end of it', async () => {
    const { browser } = await at('/signin/forgot-password')
    await provesMailbox(browser)
    await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect((await browser.opens('/signin')).title).toBe('You are signed in')
  })

  test('a browser that only guesses that its user will go there begins nothing', async () => {
    for (const header of ['sec-purpose', 'purpose']) {
      const guess = await fetch(`${idp.engineUrl}/signin/register`, {
        ...{ headers: { [header]: 'prefetch' }, redirect: 'manual' },
      })
      expect([guess.status, guess.headers.getSetCookie()]).toEqual([503, []])
    }
  })

  test('A80: the request of another browser is not taken over', async () => {
    const victim = newHostedBrowser(idp)
    await victim.opens(authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid' }))
    const browser = newHostedBrowser(idp)
    await browser.opens('/signin/register')
    browser.jar.set('rekey_tx', victim.jar.get('rekey_tx') ?? '')
    await browser.opens('/signin/forgot-password')
    await provesMailbox(browser)
    const end = await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(browser.arrived).toBeUndefined()
    expect(end.title).toBe('You are signed in')
  })

  test('an expired one leads to where it began', async () => {
    const { browser } = await at('/signin/register')
    await idp.clock.advance('3h')
    const page = await browser.opens()
    expect(page.title).toBe('This sign-in has ended')
    expect(page.text).toContain(`href="${idp.engineUrl}/signin/register"`)
  })

  test('the end without a session says where a sign-in begins, and HEAD begins nothing', async () => {
    const { page } = await at('/signin/done')
    expect(page).toMatchObject({ status: 400, title: 'There is no sign-in under way' })
    const head = await fetch(`${idp.engineUrl}/signin/forgot-password`, { method: 'HEAD' })
    expect(head.status).toBe(405)
    expect(head.headers.getSetCookie()).toEqual([])
  })
})

test('the sign-in page asks whether to keep the user signed in', async () => {
  const page = await newHostedBrowser(idp).opens(
    authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid' }),
  )
  expect(page.text).toContain('<input type="checkbox" id="rememberMe" name="rememberMe" value="true">')
  expect(page.text).toContain('Keep me signed in')
  // The page names the app that it signs in to.
  expect(page.text).toContain('to continue to <bdi class="value">Shop</bdi>')
})

describe('the links of mails', () => {
  const linkOf = async (path: string): Promise<string> => {
    const answer = await apiOf(idp)('POST', `/users/${idp.person.login}/lifecycle/${path}?sendEmail=false`)
    return new URL(String(answer.body.resetPasswordUrl)).pathname
  }

  test.each(['/signin/reset-password', '/reset_password'])('%s sets a password', async (prefix) => {
    const link = (await linkOf('reset_password')).replace('/signin/reset-password', prefix)
    const { browser, page } = await at(link)
    expect(page).toMatchObject({ status: 200, title: 'Set your password' })
    expect(page.headers.getSetCookie()).toEqual([])
    // For whom it is, as who has the link alone may see it.
    expect(page.text).toMatch(/class="who">.*m\*\*\*y<wbr>@example[.]com/s)
    expect(page.text).not.toContain(idp.person.login)
    expect(page.headers.get('referrer-policy')).toBe('strict-origin')
    expect((await browser.sends(link)).title).toBe('Choose a new password')
    const end = await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
    expect(end.title).toBe('You are signed in')
    const spent = await browser.opens(link)
    expect(spent).toMatchObject({ status: 404, title: 'This link does not work' })
    expect(spent.text).toContain(`href="${idp.engineUrl}/signin/forgot-password"`)
  })

  test('in the browser of another user it says who is signed in, and for whom it is, masked', async () => {
    await idp.people.add({ login: 'sam@example.com', password: 'Tangerine-Kettle-42' })
    const link = await linkOf('reset_password')
    const warning = /You are signed in here as ([^.]+[.]com)[.] This link is for ([^<]+)[.]</
    const { browser } = await at('/signin/unlock')
    expect((await browser.opens(link)).text).not.toMatch(warning)
    await browser.opens('/signin/forgot-password')
    await browser.submits('cancel')
    await browser.submits('identify', {
      ...{ identifier: 'sam@example.com', 'credentials.passcode': 'Tangerine-Kettle-42' },
    })
    expect(browser.page.title).toBe('You are signed in')
    const { text } = await browser.opens(link)
    expect(warning.exec(text)?.slice(1)).toEqual(['sam@example.com', 'm***y@example.com'])
    expect(text).not.toContain(idp.person.login)
    // The link of a recovery that a user asks for elsewhere.
    const mailed = async (login: string) => {
      const elsewhere = newHostedBrowser(idp)
      await elsewhere.opens('/signin/forgot-password')
      await elsewhere.submits('identify-recovery', { identifier: login })
      if (elsewhere.page.forms[0] === 'select-authenticator-authenticate') {
        await elsewhere.submits('select-authenticator-authenticate', { choice: '0' })
      }
      return (await idp.outbox.waitFor({ to: login, template: 'ForgotPassword' })).link ?? ''
    }
    const ofMary = await mailed(idp.person.login)
    const opened = await browser.opens(ofMary)
    expect(warning.exec(opened.text)?.slice(1)).toEqual(['sam@example.com', 'm***y@example.com'])
    expect(opened.text).not.toContain(idp.person.login)
    // A stranger reads nothing of either, and who is signed in as the same user neither.
    expect((await newHostedBrowser(idp).opens(ofMary)).text).not.toContain('m***y')
    expect((await browser.opens(await mailed('sam@example.com'))).text).not.toMatch(warning)
  })

  test('A17: scanners and previews that open it, and posts of other sites, spend nothing', async () => {
    const link = await linkOf('reset_password')
    for (let visit = 0; visit < 5; visit++) await newHostedBrowser(idp).opens(link)
    await fetch(idp.engineUrl + link, { method: 'HEAD' })
    const foreign = await fetch(idp.engineUrl + link, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams(),
    })
    expect(foreign.status).toBe(403)
    expect(foreign.headers.getSetCookie()).toEqual([])
    const browser = newHostedBrowser(idp)
    await browser.opens(link)
    expect((await browser.sends(link)).title).toBe('Choose a new password')
  })

  test('an invitation is activated, and an expired one that was mailed offers another mail', async () => {
    const profile = {
      login: 'nina@example.com',
      email: 'nina@example.com',
      firstName: 'Nina',
      lastName: 'Nowak',
    }
    await apiOf(idp)('POST', '/users?activate=true', { profile })
    const mail = await idp.outbox.waitFor({ to: profile.email, template: 'UserActivation' })
    const link = new URL(mail.link ?? '').pathname
    const { browser, page } = await at(link)
    expect(page).toMatchObject({ status: 200, title: 'Activate your account' })
    let shown = await browser.sends(link)
    if (shown.forms[0] === 'select-authenticator-enroll') {
      shown = await browser.submits('select-authenticator-enroll', { choice: '0' })
    }
    expect(shown.title).toBe('Choose a password')

    await idp.clock.advance('8d')
    const late = await at(link)
    expect(late.page).toMatchObject({ status: 200, title: 'This link has expired' })
    expect((await late.browser.sends(link)).forms[0]).toBe('request-activation-email')
    await late.browser.submits('request-activation-email')
    const again = new URL((await idp.outbox.waitFor({ to: profile.email, after: mail.id })).link ?? '')
      .pathname
    expect(again).not.toBe(link)
    expect((await at(again)).page.title).toBe('Activate your account')
  })
})
