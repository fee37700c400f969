import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import type { Oauth4webapi, ServerMetadata, Tokens } from '../support/oauth4webapi.ts'
import {
  answerIn,
  authorizeUrl,
  idx,
  newBrowser,
  signsIn,
  stateTokenAt,
  verifier,
} from '../support/redirects.ts'
import {
  ada,
  claimsOf,
  get,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// The basic certification plan of the OpenID Foundation, test by test, with `oauth4webapi` as the strict client: it refuses what a
// conformance suite would warn of. Where Okta differs from the plan, what is served is named in the title.
let idp: Kit
let oauth: Oauth4webapi
let app: RegisteredClient
const withQuery = 'https://app.example/callback?shop=one'
const grantTypes = ['authorization_code', 'refresh_token']
const insecure = () => ({ [oauth.allowInsecureRequests]: true })

beforeAll(async () => {
  if (!hasClients) return
  oauth = await importClient<Oauth4webapi>('oauth4webapi')
  idp = await startShop()
  app = await register(idp, { grantTypes, redirectUris: [redirectUri, withQuery] })
  await apiOf(idp)('POST', '/users/ada', {
    profile: { streetAddress: '12 St James’s Square', city: 'London', mobilePhone: '+442079460123' },
  })
})
afterAll(() => idp?.close())

type Browser = ReturnType<typeof newBrowser>
type Changes = Readonly<Record<string, string | undefined>>

describe.skipIf(!hasClients).each(['default', 'org'] as const)('the server %s', (id) => {
  const issuer = () => new URL(id === 'default' ? idp.issuer : idp.orgIssuer)
  const base = () => `${idp.engineUrl}/oauth2${id === 'default' ? '/default' : ''}`
  const client = () => ({ client_id: app.id })
  let found: ServerMetadata | undefined

  async function metadata(): Promise<ServerMetadata> {
    found ??= await oauth.processDiscoveryResponse(
      issuer(),
      await oauth.discoveryRequest(issuer(), { algorithm: 'oidc', ...insecure() }),
    )
    return found
  }

  const asks = (browser: Browser, changes: Changes = {}, from: RegisteredClient = app) =>
    browser.goes(authorizeUrl(base(), from, changes))

  /** The answer of a request, after the sign-in where the browser is asked for one. */
  async function answered(changes: Changes = {}, browser = newBrowser()): Promise<URL> {
    const at = await asks(browser, changes)
    const leadsTo = at.headers.get('location') ?? 'none:'
    if (!/\/signin(\?t=[\w-]{12})?$/.test(leadsTo)) return new URL(leadsTo)
    const stateToken = await stateTokenAt(at)
    const end =
      changes.max_age === '1' && browser.cookies.has('rekey_session')
        ? await provesPassword(stateToken)
        : await signsIn(idp.engineUrl, stateToken, ada)
    return new URL((await browser.goes(String(end.success?.href))).headers.get('location') ?? 'none:')
  }

  /** Where the session says who it is, the password is asked for again. */
  async function provesPassword(stateToken: string) {
    const asked = await idx(idp.engineUrl, 'introspect', { stateToken })
    const [form] = asked.remediation?.value ?? []
    expect(form?.name).toBe('select-authenticator-authenticate')
    const [, id = ''] =
      /"label":"Password".*?"name":"id"[^}]*"value":"(\w+)"/.exec(JSON.stringify(form)) ?? []
    const { stateHandle } = await idx(idp.engineUrl, 'challenge', {
      ...{ stateHandle: asked.stateHandle, authenticator: { id } },
    })
    return idx(idp.engineUrl, 'challenge/answer', { stateHandle, credentials: { passcode: ada.password } })
  }

  async function exchanged(
    answer: URL,
    { state = 'a state', nonce = 'a nonce', uri = redirectUri, authentication, maxAge, pkce }: Exchange = {},
  ): Promise<{ readonly tokens: Tokens; readonly claims: Readonly<Record<string, unknown>> }> {
    const as = await metadata()
    const parameters = oauth.validateAuthResponse(as, client(), answer, state)
    const method = authentication ?? oauth.ClientSecretBasic(String(app.secret))
    const response = await oauth.authorizationCodeGrantRequest(
      ...([as, client(), method, parameters, uri, pkce ?? verifier, insecure()] as const),
    )
    const tokens = await oauth.processAuthorizationCodeResponse(as, client(), response, {
      ...{ expectedNonce: nonce, requireIdToken: true },
      ...(maxAge !== undefined && { maxAge }),
    })
    // The library fetches the keys anew at most once a minute: as an app that has just started.
    await oauth.validateApplicationLevelSignature({ ...as }, response, insecure())
    return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) ?? {} }
  }
  interface Exchange {
    readonly state?: unknown
    readonly nonce?: unknown
    readonly uri?: string
    readonly authentication?: unknown
    readonly maxAge?: number
    readonly pkce?: unknown
  }

  const signedIn = async (changes: Changes = {}, browser = newBrowser(), exchange: Exchange = {}) => ({
    browser,
    ...(await exchanged(await answered(changes, browser), exchange)),
  })

  async function infoOf({ access_token: token }: Tokens, sub: unknown) {
    const as = await metadata()
    return oauth.processUserInfoResponse(
      as,
      client(),
      sub,
      await oauth.userInfoRequest(as, client(), token, insecure()),
    )
  }

  const refusal = async (changes: Changes, browser = newBrowser()) => answerIn(await asks(browser, changes))

  test('response_type=code: a code, an ID token and an access token', async () => {
    const { tokens, claims } = await signedIn({ scope: 'openid' })
    expect(tokens.scope).toBe('openid')
    expect(claims).toMatchObject({ iss: issuer().href.replace(/\/$/, ''), aud: app.id, nonce: 'a nonce' })
  })

  test('a request without response_type is refused at the app', async () => {
    expect(await refusal({ response_type: undefined })).toMatchObject({
      ...{ error: 'invalid_request', state: 'a state' },
    })
  })

  test.each(['token', 'id_token', 'code id_token', 'code token', 'none', 'cod'])(
    'response_type=%s, which discovery does not list, is refused',
    async (type) => {
      const listed = (await metadata()).response_types_supported as readonly string[]
      expect(listed).not.toContain(type)
      expect(await refusal({ response_type: type })).toMatchObject({ error: 'unsupported_response_type' })
    },
  )

  test('the claims of the ID token: sub of one user, times, at_hash and azp-free aud', async () => {
    const one = await signedIn()
    const two = await signedIn()
    expect(one.claims.sub).toBe(two.claims.sub)
    expect(String(one.claims.sub).length).toBeLessThanOrEqual(255)
    expect(Number(one.claims.exp)).toBeGreaterThan(Number(one.claims.iat))
    expect(one.claims).toHaveProperty('at_hash')
  })

  test('the ID token names a published key (two of them: test/contract/oauth.test.ts)', async () => {
    const { tokens } = await signedIn()
    const keys = (await get((await metadata()).jwks_uri)).body.keys as readonly { readonly kid: string }[]
    const { kid, alg } = JSON.parse(atob(String(tokens.id_token).split('.')[0] ?? '')) as Record<
      string,
      string
    >
    expect(keys.map((key) => key.kid)).toContain(kid)
    expect((await metadata()).id_token_signing_alg_values_supported).toContain(alg)
  })

  test.each([
    ['GET with the header', 'GET', true],
    ['POST with the header', 'POST', true],
    ['POST with the body', 'POST', false],
  ])('userinfo by %s', async (_how, method, isHeader) => {
    const { tokens, claims } = await signedIn({ scope: 'openid email' })
    const response = await fetch((await metadata()).userinfo_endpoint, {
      method,
      ...(isHeader
        ? { headers: { authorization: `Bearer ${tokens.access_token}` } }
        : { body: new URLSearchParams({ access_token: tokens.access_token }) }),
    })
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await response.json()).toMatchObject({ sub: claims.sub, email: ada.email })
  })

  test.each([
    ['profile', ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at']],
    ['email', ['email', 'email_verified']],
    ['address', ['address']],
    ['phone', ['phone_number']],
  ])('scope=%s: its claims and no others', async (scope, names) => {
    const { tokens, claims } = await signedIn({ scope: `openid ${scope}` })
    const info = await infoOf(tokens, claims.sub)
    expect(Object.keys(info)).toEqual(expect.arrayContaining(names))
    if (scope !== 'profile') expect(Object.keys(info).sort()).toEqual(['sub', ...names].sort())
  })

  test('all scopes at once', async () => {
    const { tokens, claims } = await signedIn({ scope: 'openid profile email address phone' })
    expect(await infoOf(tokens, claims.sub)).toMatchObject({
      ...{ sub: claims.sub, name: 'Ada Lovelace', email: ada.email, phone_number: '+442079460123' },
      address: { locality: 'London' },
    })
  })

  test.each([
    { display: 'page' },
    { display: 'popup' },
    { ui_locales: 'de-AT de' },
    { claims_locales: 'de' },
    { login_hint: ada.email },
    { acr_values: 'urn:mace:incommon:iap:silver' },
    { acr_values: '1 2' },
    { extra: 'foobar' },
    { claims: '{"userinfo":{"name":{"essential":true}}}' },
  ])('%o is taken, or left unread', async (changes) => {
    const { claims } = await signedIn(changes)
    expect(claims).toHaveProperty('sub')
    if ('claims' in changes) expect((await metadata()).claims_parameter_supported).toBe(false)
  })

  test('prompt=login asks again, and auth_time moves', async () => {
    const { browser, claims } = await signedIn({ max_age: '10000' })
    idp.clock.advance(2000)
    const at = await asks(browser, { prompt: 'login' })
    expect(at.headers.get('location')).toContain(`${idp.engineUrl}/signin?t=`)
    const again = await signedIn({ prompt: 'login' }, browser)
    expect(Number(again.claims.auth_time)).toBeGreaterThanOrEqual(Number(claims.auth_time))
    expect(again.claims.sub).toBe(claims.sub)
  })

  test('prompt=none: login_required without a session, a code with one', async () => {
    expect(await refusal({ prompt: 'none' })).toMatchObject({ error: 'login_required', state: 'a state' })
    const { browser, claims } = await signedIn()
    const silent = await exchanged(
      new URL((await asks(browser, { prompt: 'none' })).headers.get('location') ?? ''),
    )
    expect(silent.claims.sub).toBe(claims.sub)
    expect(Math.abs(Number(silent.claims.auth_time) - Number(claims.auth_time))).toBeLessThanOrEqual(1)
  })

  test('max_age=1 asks again after two seconds, and auth_time is in the token', async () => {
    const { browser, claims } = await signedIn({ max_age: '1' }, newBrowser(), { maxAge: 1 })
    expect(claims).toHaveProperty('auth_time')
    idp.clock.advance(2000)
    const at = await asks(browser, { max_age: '1' })
    expect(at.headers.get('location')).toContain(`${idp.engineUrl}/signin?t=`)
    await signedIn({ max_age: '1' }, browser, { maxAge: 1 })
  })

  test('max_age=10000 asks nothing, and auth_time stays', async () => {
    const { browser, claims } = await signedIn()
    idp.clock.advance(5000)
    const later = await signedIn({ max_age: '10000' }, browser, { maxAge: 10_000 })
    // Tokens have the host's time, from which the engine's has moved on by five seconds.
    expect(Math.abs(Number(claims.auth_time) - 5 - Number(later.claims.auth_time))).toBeLessThanOrEqual(1)
  })

  test('prompt=none with the id_token_hint of the user', async () => {
    const { browser, tokens } = await signedIn()
    const hinted = { prompt: 'none', id_token_hint: String(tokens.id_token) }
    expect(await refusal(hinted, browser)).toHaveProperty('code')
  })

  test('a code that is used twice is refused, and the tokens of the first use end', async () => {
    const answer = await answered()
    const { tokens, claims } = await exchanged(answer)
    await expect(exchanged(answer)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 })
    await expect(infoOf(tokens, claims.sub)).rejects.toThrow()
  })

  test('a code that is used again after 30 seconds is refused', async () => {
    const answer = await answered()
    await exchanged(answer)
    idp.clock.advance(30_000)
    await expect(exchanged(answer)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('a redirect URI that is not registered, or none: a page, and no redirect', async () => {
    for (const uri of [undefined, `${redirectUri}/more`, `${redirectUri}?more=1`, `${withQuery}&more=1`]) {
      const at = await asks(newBrowser(), { redirect_uri: uri })
      expect([at.status, at.headers.get('location')], String(uri)).toEqual([400, null])
      expect(at.headers.get('content-type')).toMatch(/^text\/html/)
    }
  })

  test('the query of a registered redirect URI is kept', async () => {
    const answer = await answered({ redirect_uri: withQuery })
    expect(answer.searchParams.get('shop')).toBe('one')
    expect((await exchanged(answer, { uri: withQuery })).claims).toHaveProperty('sub')
  })

  test.each([
    ['request', 'request_not_supported', 'request_parameter_supported'],
    ['request_uri', 'request_uri_not_supported', 'request_uri_parameter_supported'],
  ])('%s is refused as discovery says', async (name, error, member) => {
    expect((await metadata())[member]).toBe(false)
    expect(
      await refusal({
        [name]: name === 'request' ? 'eyJhbGciOiJub25lIn0.e30.' : 'https://app.example/r.jwt',
      }),
    ).toMatchObject({
      ...{ error, state: 'a state' },
    })
  })

  test('without nonce the code flow works, and the ID token has none', async () => {
    const { claims } = await signedIn({ nonce: undefined }, newBrowser(), { nonce: oauth.expectNoNonce })
    expect(claims).not.toHaveProperty('nonce')
  })

  test('without state, and without PKCE for an app with a secret', async () => {
    const answer = await answered({
      state: undefined,
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    const { claims } = await exchanged(answer, { state: oauth.expectNoState, pkce: oauth.nopkce })
    expect(claims).toHaveProperty('sub')
  })

  test('a request without scope, or without openid: refused, and tokens without an ID token', async () => {
    expect(await refusal({ scope: undefined })).toMatchObject({ error: 'invalid_scope' })
    const as = await metadata()
    const parameters = oauth.validateAuthResponse(
      as,
      client(),
      await answered({ scope: 'profile' }),
      'a state',
    )
    const response = await oauth.authorizationCodeGrantRequest(
      ...([as, client(), oauth.ClientSecretBasic(String(app.secret)), parameters] as const),
      ...([redirectUri, verifier, insecure()] as const),
    )
    expect(await response.json()).not.toHaveProperty('id_token')
  })

  test.each(['Basic', 'post'])('the app authenticates by %s', async (how) => {
    const method = how === 'Basic' ? oauth.ClientSecretBasic : oauth.ClientSecretPost
    expect((await metadata()).token_endpoint_auth_methods_supported).toContain(
      how === 'Basic' ? 'client_secret_basic' : 'client_secret_post',
    )
    const right = { authentication: method(String(app.secret)) }
    expect((await signedIn({}, newBrowser(), right)).claims).toHaveProperty('sub')
    const wrong = exchanged(await answered(), { authentication: method('wrong') })
    await expect(wrong).rejects.toBeDefined()
  })

  test('refreshes, with the same sub and auth_time and without the nonce’s being checked', async () => {
    const { tokens, claims } = await signedIn({ scope: 'openid offline_access' })
    const as = await metadata()
    const refreshed = await oauth.processRefreshTokenResponse(
      ...([as, client()] as const),
      await oauth.refreshTokenGrantRequest(
        ...([as, client(), oauth.ClientSecretBasic(String(app.secret))] as const),
        ...([String(tokens.refresh_token), insecure()] as const),
      ),
    )
    expect(claimsOf(refreshed.id_token)).toMatchObject({ sub: claims.sub, auth_time: claims.auth_time })
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
  })

  test('POST authorize: the parameters in the body', async () => {
    const browser = newBrowser()
    const { searchParams } = new URL(authorizeUrl(base(), app))
    const at = await browser.goes(`${base()}/v1/authorize`, { method: 'POST', body: searchParams })
    expect([at.status, at.headers.get('location')]).toEqual([
      303,
      expect.stringContaining(`${idp.engineUrl}/signin?t=`),
    ])
  })
})
