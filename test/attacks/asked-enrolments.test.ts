import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { redirectUri } from '../wire/oauth-app.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// A request to enrol an authenticator (`prompt=enroll_authenticator`): whose browser it is shows anew who the user is, and the app gets nothing.
let idp: Kit

beforeAll(async () => {
  idp = await startEngine({
    clients: [
      {
        ...{ id: 'shop', label: 'Shop', applicationType: 'browser', redirectUris: [redirectUri] },
        grantTypes: ['authorization_code'],
      },
    ],
  })
})
beforeEach(async () => {
  await idp.reset()
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
})
afterAll(() => idp.close())

const enrolUrl = (enroll_amr_values: string) =>
  authorizeUrl(
    idp.issuer,
    { id: 'shop' },
    {
      ...{ scope: undefined, nonce: undefined, code_challenge: undefined, code_challenge_method: undefined },
      ...{ response_type: 'none', prompt: 'enroll_authenticator', max_age: '0', state: 's' },
      ...{ acr_values: 'urn:okta:loa:2fa:any:ifpossible', enroll_amr_values },
    },
  )

async function provesThePassword(browser: HostedBrowser): Promise<void> {
  await browser.submits('identify', {
    identifier: idp.person.login,
    'credentials.passcode': idp.person.password,
  })
  if (browser.page.forms[0] === 'select-authenticator-authenticate')
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
}

async function provesTheMail(browser: HostedBrowser): Promise<void> {
  const { code } = await idp.outbox.waitFor({ to: idp.person.login })
  await browser.submits('challenge-authenticator', { 'credentials.passcode': code ?? '' })
}

test('A74: nothing is enrolled, and the app learns of nothing, before the second factor that the user has', async () => {
  const browser = newHostedBrowser(idp)
  await browser.opens(enrolUrl('otp'))
  await provesThePassword(browser)
  expect([browser.arrived, browser.page.forms[0]]).toEqual([undefined, 'challenge-authenticator'])
  await provesTheMail(browser)
  expect(browser.page.forms[0]).toMatch(/enroll/)
})

test('A74: a session that has proven everything is not enough, and the answer to the app has its state alone', async () => {
  const browser = newHostedBrowser(idp)
  // There is nothing to set up of this kind: the sign-in alone.
  await browser.opens(enrolUrl('yubikey'))
  await provesThePassword(browser)
  await provesTheMail(browser)
  const answer = () => [...(browser.arrived?.searchParams.keys() ?? [])].toSorted()
  expect(answer()).toEqual(['iss', 'state'])
  const first = browser.arrived
  idp.clock.advance(60_000)
  const page = await browser.opens(enrolUrl('yubikey'))
  expect(browser.arrived).toBe(first)
  expect(page.forms[0]).toMatch(/^(challenge|select)-authenticator/)
})
