import { afterEach, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { answerIn, authorizeUrl, newBrowser } from '../support/redirects.ts'
import { ada, register, startShop } from '../wire/oauth-app.ts'

// prompt=create (Initiating User Registration via OpenID Connect 1.0): a link "sign up" of an app.
let idp: Kit
afterEach(() => idp.close())

const urlFor = async (prompt: string) =>
  authorizeUrl(idp.issuer, await register(idp, { grantTypes: ['authorization_code'] }), {
    scope: 'openid',
    prompt,
  })

test('begins with the sign-up, also in a browser that has a session, and leads back to the sign-in', async () => {
  idp = await startShop()
  const browser = newHostedBrowser(idp)
  await browser.opens(await urlFor('login'))
  await browser.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
  expect(browser.arrived?.searchParams.get('code')).toBeTruthy()
  for (const prompt of ['create', 'create login', 'consent create']) {
    await browser.opens(await urlFor(prompt))
    expect(browser.page.title, prompt).toBe('Create your account')
  }
  await browser.submits('select-identify')
  expect(browser.page.forms).toContain('identify')
})

test('is refused at the app where sign-up is closed, and beside none', async () => {
  idp = await startShop({ settings: { signUp: { open: false } } })
  const refused = async (prompt: string) => answerIn(await newBrowser().goes(await urlFor(prompt)))
  expect(await refused('create')).toMatchObject({ error: 'access_denied', state: 'a state' })
  expect(await refused('none create')).toMatchObject({ error: 'invalid_request' })
})
