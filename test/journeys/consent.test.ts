import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, type Browser, newBrowser, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  claimsOf,
  post,
  type RegisteredClient,
  redirectUri,
  startShop,
} from '../wire/oauth-app.ts'

// What an app may have of a user: asked on the engine's own pages, and remembered.
let idp: Kit
let app: RegisteredClient
let trusted: RegisteredClient
type Changes = Readonly<Record<string, string | undefined>>

beforeAll(async () => {
  idp = await startShop()
  app = await newApp('REQUIRED')
  trusted = await newApp('TRUSTED')
  await setScope('phone', { consent: 'REQUIRED' })
  await setScope('email', { consent: 'FLEXIBLE', optional: true, displayName: 'Write to you' })
  await apiOf(idp)('POST', '/users/ada', { profile: { mobilePhone: '+442079460123' } })
})
afterAll(() => idp.close())

async function newApp(consentMethod: string): Promise<RegisteredClient> {
  const { body } = await apiOf(idp)('POST', '/apps', {
    name: 'oidc_client',
    label: `Shop ${consentMethod}`,
    signOnMode: 'OPENID_CONNECT',
    credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic' } },
    settings: {
      oauthClient: {
        application_type: 'web',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [redirectUri],
        consent_method: consentMethod,
        policy_uri: 'https://app.example/privacy',
      },
    },
  })
  const { oauthClient } = body.credentials as { oauthClient: Readonly<Record<string, string>> }
  const { client_id: id = '', client_secret: secret } = oauthClient
  const everyone = (await apiOf(idp)('GET', '/groups?q=Everyone')).list[0]?.id
  await apiOf(idp)('PUT', `/apps/${body.id}/groups/${everyone}`, {})
  return { id, secret }
}

async function setScope(name: string, settings: object) {
  const api = apiOf(idp)
  const { list } = await api('GET', '/authorizationServers/default/scopes')
  const { id } = list.find((one) => one.name === name) ?? {}
  const { status } = await api('PUT', `/authorizationServers/default/scopes/${id}`, { name, ...settings })
  expect(status).toBe(200)
}

const forgets = (client = app) => apiOf(idp)('DELETE', `/users/ada/clients/${client.id}/grants`)

const urlFor = (changes: Changes = {}, client = app, oauth = idp.issuer) =>
  authorizeUrl(oauth, client, { scope: 'openid profile phone', ...changes })

/** A browser at the page that asks for consent, or at what a request leads to. */
async function signsIn(url: string) {
  const browser = newHostedBrowser(idp)
  await browser.opens(url)
  if (browser.arrived === undefined) {
    await browser.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
  }
  return browser
}

const idx = (path: string, body: object) =>
  fetch(`${idp.engineUrl}/idp/idx/${path}`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', accept: 'application/json' },
  }).then(async (response) => (await response.json()) as Record<string, unknown>)

/** What came back to the app. */
const arrivedAt = ({ arrived }: { readonly arrived: URL | undefined }) =>
  Object.fromEntries(arrived?.searchParams ?? [])

async function redeem(code: unknown, client = app) {
  const form = {
    grant_type: 'authorization_code',
    code: String(code),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }
  return (await post(`${idp.issuer}/v1/token`, form, { authorization: basic(client) })).body
}

/** The silent request of a browser that has the session of another. */
async function silent(of: { readonly jar: Map<string, string> }, changes: Changes = {}, client = app) {
  const browser: Browser = newBrowser()
  for (const [name, value] of of.jar) browser.cookies.set(name, value)
  return answerIn(await browser.goes(urlFor({ prompt: 'none', ...changes }, client)))
}

describe('an app whose consent_method is REQUIRED', () => {
  // Okta's widget has no page for it without the issuer.
  test('is named in the protocol, with the server that it asks', async () => {
    await forgets()
    const browser = await signsIn(urlFor())
    const response = await idx('introspect', { interactionHandle: browser.jar.get('rekey_tx') })
    expect(response).toMatchObject({
      app: { value: { id: app.id } },
      authentication: { type: 'object', value: { protocol: 'OAUTH2.0', issuer: { uri: idp.issuer } } },
    })
  })

  test('asks behind the sign-in, says for what, and has a code once it is allowed; the next time it is not asked', async () => {
    await forgets()
    const browser = await signsIn(urlFor())
    expect(browser.page.title).toBe('Allow Shop REQUIRED to use your account?')
    expect(browser.page.text).toContain('see your phone number')
    expect(browser.page.text).toContain('href="https://app.example/privacy"')
    expect(browser.page.text).not.toContain('see your profile')
    // The sentence is the beginning of each entry of the list: nothing is between them. The title has named the app.
    expect(browser.page.text).toMatch(/class="who".*class="lead".*<ul class="consent">/s)
    expect(browser.page.text).not.toContain('class="for-app"')
    expect(browser.arrived).toBeUndefined()
    await browser.submits('consent', { consent: 'true' })
    const tokens = await redeem(arrivedAt(browser).code)
    expect(tokens.scope).toBe('openid profile phone')
    expect((await signsIn(urlFor())).arrived?.searchParams.get('code')).toBeTruthy()
    expect(await silent(browser)).toHaveProperty('code')
  })

  test('is answered access_denied where the user says no, and nothing is remembered', async () => {
    await forgets()
    const browser = await signsIn(urlFor())
    await browser.submits('consent', { consent: 'false' })
    expect(arrivedAt(browser)).toMatchObject({
      error: 'access_denied',
      error_description: 'The resource owner or authorization server denied the request.',
      state: 'a state',
    })
    expect((await apiOf(idp)('GET', '/users/ada/grants')).list).toEqual([])
    expect((await signsIn(urlFor())).page.forms).toContain('consent')
  })

  test('prompt=none without it is consent_required, and the session stays of use', async () => {
    const { jar } = await signsIn(urlFor({}, trusted))
    await forgets()
    expect(await silent({ jar })).toMatchObject({
      error: 'consent_required',
      state: 'a state',
    })
    expect(await silent({ jar }, {}, trusted)).toHaveProperty('code')
  })

  test('prompt=consent asks again', async () => {
    await forgets()
    const browser = await signsIn(urlFor())
    await browser.submits('consent', { consent: 'true' })
    await browser.opens(urlFor({ prompt: 'consent' }))
    expect(browser.page.forms).toContain('consent')
    await browser.submits('consent', { consent: 'true' })
    expect((await redeem(arrivedAt(browser).code)).scope).toContain('phone')
  })

  test('what is optional may be left out: the tokens have it not', async () => {
    await forgets()
    const browser = await signsIn(urlFor({ scope: 'openid phone email' }))
    expect(browser.page.forms).toContain('granular-consent')
    // An administrator's words take the place of ours.
    expect(browser.page.text).toContain('Write to you')
    await browser.submits('granular-consent', { consent: 'true', 'optedScopes.email': '' })
    const tokens = await redeem(arrivedAt(browser).code)
    expect(tokens.scope).toBe('openid phone')
    expect(claimsOf(tokens.access_token).scp).toEqual(['openid', 'phone'])
    expect((await apiOf(idp)('GET', `/users/ada/clients/${app.id}/grants`)).list).toMatchObject([
      { scopeId: 'phone' },
    ])
  })

  test('what was left out is remembered: it is not asked for, and in no token, until the app asks with prompt=consent', async () => {
    await forgets()
    const scope = 'openid email phone'
    const grants = async () =>
      (await apiOf(idp)('GET', `/users/ada/clients/${app.id}/grants`)).list.map((one) => one.scopeId)
    const first = await signsIn(urlFor({ scope }))
    await first.submits('granular-consent', { consent: 'true', 'optedScopes.email': '' })
    // At another sign-in, with the session, and silently.
    expect((await redeem(arrivedAt(await signsIn(urlFor({ scope }))).code)).scope).toBe('openid phone')
    await first.opens(urlFor({ scope }))
    expect((await redeem(arrivedAt(first).code)).scope).toBe('openid phone')
    expect((await redeem((await silent(first, { scope })).code)).scope).toBe('openid phone')
    expect(await grants()).toEqual(['phone'])
    // Something new is asked for by itself.
    await setScope('address', { consent: 'REQUIRED' })
    const more = await signsIn(urlFor({ scope: `${scope} address` }))
    expect(more.page.text).not.toContain('Write to you')
    await more.submits('consent', { consent: 'true' })
    expect((await redeem(arrivedAt(more).code)).scope).toBe('openid phone address')
    await setScope('address', { consent: 'IMPLICIT' })
    // Where it can be left out no more it is asked for.
    await setScope('email', { consent: 'FLEXIBLE', displayName: 'Write to you' })
    expect((await signsIn(urlFor({ scope }))).page.text).toContain('Write to you')
    await setScope('email', { consent: 'FLEXIBLE', optional: true, displayName: 'Write to you' })
    // Asked anew it is allowed, and left out again it is allowed no more.
    const anew = await signsIn(urlFor({ scope, prompt: 'consent' }))
    await anew.submits('granular-consent', { consent: 'true', 'optedScopes.email': 'true' })
    expect((await redeem(arrivedAt(anew).code)).scope).toBe(scope)
    expect((await grants()).toSorted()).toEqual(['address', 'email', 'phone'])
    const again = await signsIn(urlFor({ scope, prompt: 'consent' }))
    await again.submits('granular-consent', { consent: 'true', 'optedScopes.email': '' })
    expect((await redeem((await silent(again, { scope })).code)).scope).toBe('openid phone')
    expect(await grants()).not.toContain('email')
    // What an administrator takes back is asked for from the beginning.
    await forgets()
    expect((await signsIn(urlFor({ scope }))).page.text).toContain('Write to you')
  })

  test('scopes that ask for none are had without a question', async () => {
    expect(arrivedAt(await signsIn(urlFor({ scope: 'openid profile' })))).toHaveProperty('code')
  })

  test('the org server asks for none', async () => {
    const browser = await signsIn(urlFor({}, app, `${idp.engineUrl}/oauth2`))
    expect(arrivedAt(browser)).toHaveProperty('code')
  })

  test('a form that says neither allows nothing', async () => {
    await forgets()
    const browser = await signsIn(urlFor())
    const { stateHandle } = await idx('introspect', { interactionHandle: browser.jar.get('rekey_tx') })
    for (const answer of [{}, { consent: 'yes' }, { consent: 1 }]) {
      const refused = await idx('consent', { stateHandle, ...answer })
      expect(JSON.stringify(refused)).toContain('model.validation.field.blank')
    }
    await browser.submits('consent', { consent: '' })
    expect(arrivedAt(browser)).toMatchObject({ error: 'access_denied' })
  })
})

describe('an app whose consent_method is TRUSTED', () => {
  test('asks for nothing, but with prompt=consent', async () => {
    expect(arrivedAt(await signsIn(urlFor({}, trusted)))).toHaveProperty('code')
    const browser = await signsIn(urlFor({ prompt: 'consent' }, trusted))
    expect(browser.page.forms).toContain('consent')
    // Nothing asks for consent there, so nothing is asked.
    const plain = await signsIn(urlFor({ prompt: 'consent', scope: 'openid profile' }, trusted))
    expect(arrivedAt(plain)).toHaveProperty('code')
  })
})

describe('what was allowed', () => {
  test('is listed, and taken back one by one: the tokens of the app end, the user is asked anew', async () => {
    await forgets()
    const browser = await signsIn(urlFor({ scope: 'openid phone offline_access' }))
    await browser.submits('consent', { consent: 'true' })
    const tokens = await redeem(arrivedAt(browser).code)
    const api = apiOf(idp)
    const [grant] = (await api('GET', '/users/ada/grants')).list
    expect(grant).toMatchObject({
      ...{ status: 'ACTIVE', source: 'END_USER', clientId: app.id, scopeId: 'phone' },
      issuer: idp.issuer,
    })
    expect((await api('GET', `/users/ada/grants/${grant?.id}`)).body).toEqual(grant)
    expect((await api('DELETE', `/users/ada/grants/${grant?.id}`)).status).toBe(204)
    expect((await api('DELETE', `/users/ada/grants/${grant?.id}`)).status).toBe(404)
    const refreshed = await post(
      `${idp.issuer}/v1/token`,
      { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) },
      { authorization: basic(app) },
    )
    expect(refreshed.body.error).toBe('invalid_grant')
    expect(await silent(browser)).toMatchObject({ error: 'consent_required' })
    for (const what of ['grant', 'revoke']) {
      const found = (await idp.events()).filter(
        ({ eventType }) => eventType === `app.oauth2.as.consent.${what}`,
      )
      expect(found.at(-1)?.debugContext).toMatchObject({ debugData: { scopes: 'phone' } })
    }
  })

  test('goes with the app', async () => {
    const gone = await newApp('REQUIRED')
    const browser = await signsIn(urlFor({}, gone))
    await browser.submits('consent', { consent: 'true' })
    const api = apiOf(idp)
    expect((await api('GET', `/users/ada/clients/${gone.id}/grants`)).list).toHaveLength(1)
    await api('POST', `/apps/${gone.id}/lifecycle/deactivate`)
    await api('DELETE', `/apps/${gone.id}`)
    expect((await api('GET', `/users/ada/clients/${gone.id}/grants`)).list).toEqual([])
  })
})

test('the answer of a refusal goes to the browser alone that began it (A80)', async () => {
  await forgets()
  const browser = await signsIn(urlFor())
  const handle = browser.jar.get('rekey_tx')
  const { stateHandle } = await idx('introspect', { interactionHandle: handle })
  const end = (await idx('consent', { stateHandle, consent: false })) as { success: { href: string } }
  const at = await newBrowser().goes(end.success.href)
  expect([at.status, at.headers.get('location')]).toEqual([400, null])
  await browser.opens(end.success.href)
  expect(arrivedAt(browser)).toMatchObject({ error: 'access_denied' })
})
