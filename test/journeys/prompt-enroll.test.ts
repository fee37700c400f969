import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { redirectUri } from '../wire/oauth-app.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'

// `prompt=enroll_authenticator`: an app sends its user to enrol an authenticator, and gets the browser back.
let idp: Kit
const shop = { id: 'shop' }

beforeAll(async () => {
  idp = await startEngine({
    clients: [
      {
        ...{ id: shop.id, label: 'Shop', applicationType: 'browser', redirectUris: [redirectUri] },
        grantTypes: ['authorization_code'],
      },
    ],
  })
})
beforeEach(async () => {
  await idp.reset()
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', security_question: 'OPTIONAL' })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>

/** As okta-auth-js sends it. */
const enrolUrl = (changes: Changes = {}) =>
  authorizeUrl(idp.issuer, shop, {
    ...{ scope: undefined, nonce: undefined, code_challenge: undefined, code_challenge_method: undefined },
    ...{ response_type: 'none', prompt: 'enroll_authenticator', max_age: '0', state: 'state-of-the-app' },
    ...{ acr_values: 'urn:okta:loa:2fa:any:ifpossible', enroll_amr_values: 'otp' },
    ...changes,
  })

const typed = () => ({ identifier: idp.person.login, 'credentials.passcode': idp.person.password })

/** By the password and, as the level asks for a second factor of who has one, the code of a mail. */
async function signsIn(browser: HostedBrowser) {
  let page = await browser.submits('identify', typed())
  if (page.forms[0] === 'select-authenticator-authenticate') {
    page = await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  expect(page.forms[0]).toBe('challenge-authenticator')
  return page
}

const mailedCode = async () => ({
  'credentials.passcode': (await idp.outbox.waitFor({ to: idp.person.login })).code ?? '',
})

const arrivedAt = ({ arrived }: HostedBrowser) => Object.fromEntries(arrived?.searchParams ?? [])

const secretOn = (text: string): string =>
  [...(/<code dir="ltr">(.*?)<\/code>/.exec(text)?.[1] ?? '').matchAll(/<span>(\w+)<\/span>/g)]
    .map(([, group]) => group)
    .join('')

const answer = { state: 'state-of-the-app', iss: expect.any(String) }

describe('prompt=enroll_authenticator', () => {
  test('signs in, enrols what it names, and leads back with the state alone', async () => {
    const browser = newHostedBrowser(idp)
    expect((await browser.opens(enrolUrl())).title).toBe('Sign in')
    await signsIn(browser)
    let page = await browser.submits('challenge-authenticator', await mailedCode())
    if (page.forms[0] === 'select-authenticator-enroll') {
      page = await browser.submits('select-authenticator-enroll', { choice: '0' })
    }
    // The other optional one is not offered.
    expect(page.title).toBe('Set up your authenticator app')
    const code = codeAt(secretOn(page.text), idp.clock.now())
    await browser.submits('enroll-authenticator', { 'credentials.passcode': code })
    expect(browser.arrived?.href.startsWith(redirectUri)).toBe(true)
    expect(arrivedAt(browser)).toEqual(answer)
    // Who has it already is led back behind the sign-in.
    const next = newHostedBrowser(idp)
    await next.opens(enrolUrl())
    await next.submits('identify', typed())
    const { forms } = next.page
    if (forms[0] === 'select-authenticator-authenticate') {
      await next.submits('select-authenticator-authenticate', { choice: '1' })
    }
    idp.clock.advance(60_000)
    const again = codeAt(secretOn(page.text), idp.clock.now())
    await next.submits('challenge-authenticator', { 'credentials.passcode': again })
    expect(arrivedAt(next)).toEqual(answer)
  })

  test('asks a signed-in user anew, for what the session has proven, too', async () => {
    const browser = newHostedBrowser(idp)
    await browser.opens(authorizeUrl(idp.issuer, shop, { scope: 'openid' }))
    await browser.submits('identify', typed())
    if (browser.arrived === undefined) await browser.submits('skip')
    expect(arrivedAt(browser)).toHaveProperty('code')
    idp.clock.advance(60_000)
    const page = await browser.opens(enrolUrl())
    expect(page.text).toContain(idp.person.login)
    expect(page.forms[0]).toMatch(/^(challenge-authenticator|select-authenticator-authenticate)$/)
  })

  test.each<[string, Changes, string]>([
    ['a response type with a code', { response_type: 'code' }, 'invalid_request'],
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['another level', { acr_values: 'urn:okta:loa:1fa:any' }, 'invalid_request'],
    ['no level', { acr_values: undefined }, 'invalid_request'],
    ['an age', { max_age: '60' }, 'invalid_request'],
    ['no age', { max_age: undefined }, 'invalid_request'],
    ['a scope', { scope: 'openid' }, 'invalid_request'],
    ['a nonce', { nonce: 'n' }, 'invalid_request'],
    ['nothing to enrol', { enroll_amr_values: undefined }, 'invalid_request'],
    ['an unknown method', { enroll_amr_values: 'otp carrier-pigeon' }, 'invalid_request'],
    ['another prompt beside it', { prompt: 'enroll_authenticator login' }, 'invalid_request'],
    ['the response type without the prompt', { prompt: undefined }, 'unsupported_response_type'],
  ])('is refused with %s, at the app', async (_, changes, error) => {
    const browser = newHostedBrowser(idp)
    await browser.opens(enrolUrl(changes)).catch(() => undefined)
    expect(arrivedAt(browser)).toMatchObject({ error, state: 'state-of-the-app' })
    expect(arrivedAt(browser).error_description).toBeTruthy()
  })

  test('A30: leads to no address that is not registered', async () => {
    const refused = await fetch(enrolUrl({ redirect_uri: 'https://evil.example/' }), { redirect: 'manual' })
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null])
  })

  test('A80: its end is worth nothing in another browser, and no code is made that leaves', async () => {
    const browser = newHostedBrowser(idp)
    await browser.opens(enrolUrl({ enroll_amr_values: 'yubikey' }))
    await signsIn(browser)
    const fields = { ...browser.fieldsOf('challenge-authenticator'), ...(await mailedCode()) }
    const end = (await browser.posts(fields)).headers.get('location') ?? ''
    const other = await fetch(end, { redirect: 'manual' })
    expect([other.status, other.headers.getSetCookie()]).toEqual([400, []])
    await browser.opens(end)
    expect(arrivedAt(browser)).toEqual(answer)
  })
})
