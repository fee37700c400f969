import { OktaAuth } from '@okta/okta-auth-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, newVisitor } from '../../src/testing/index.ts'
import { hasClients, importClient } from '../support/clients.ts'
import type { Oauth4webapi, ServerMetadata } from '../support/oauth4webapi.ts'
import {
  answerIn,
  authorizeUrl,
  type Browser,
  type IdxBody,
  idx,
  newBrowser,
  signsIn,
  stateTokenAt,
  verifier,
} from '../support/redirects.ts'
import {
  ada,
  claimsOf,
  post,
  type RegisteredClient,
  redirectUri,
  refreshing,
  register,
  startShop,
} from '../wire/oauth-app.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// `acr_values` and `max_age` at `authorize`: what is asked for, what a session has proven of it, and what cannot be met.
let idp: Kit
let app: RegisteredClient
const grantTypes = ['authorization_code', 'refresh_token']
const uris = [redirectUri, 'http://localhost:3000/callback']

beforeAll(async () => {
  idp = await startShop()
  app = await register(idp, { applicationType: 'browser', grantTypes, redirectUris: uris })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>
const asks = (browser: Browser, changes: Changes, issuer = idp.issuer) =>
  browser.goes(authorizeUrl(issuer, app, changes))

const formsOf = ({ remediation }: IdxBody) => (remediation?.value ?? []).map(({ name }) => name)

/** The end of a transaction, as the browser is answered at it. */
const ends = async (browser: Browser, body: IdxBody) =>
  answerIn(await browser.goes(String(body.success?.href)))

/** Proves what a selection offers by that name: the password, or the mailbox. */
async function proves(body: IdxBody, label: 'Password' | 'Email'): Promise<IdxBody> {
  const form = body.remediation?.value.find(({ name }) => name === 'select-authenticator-authenticate')
  const [, id = ''] =
    new RegExp(`"label":"${label}".*?"name":"id"[^}]*"value":"(\\w+)"`).exec(JSON.stringify(form)) ?? []
  const authenticator = { id, ...(label === 'Email' && { methodType: 'email' }) }
  const before = idp.outbox.latest({ to: ada.email })?.id
  const { stateHandle } = await idx(idp.engineUrl, 'challenge', {
    ...{ stateHandle: body.stateHandle, authenticator },
  })
  const mailed = async () =>
    (await idp.outbox.waitFor({ to: ada.email, ...(before !== undefined && { after: before }) })).code
  const passcode = label === 'Email' ? await mailed() : ada.password
  return idx(idp.engineUrl, 'challenge/answer', { stateHandle, credentials: { passcode } })
}

/** A browser whose session has the password proven. */
async function signedIn(
  changes: Changes = {},
): Promise<{ readonly browser: Browser; readonly code: string }> {
  const browser = newBrowser()
  const end = await signsIn(idp.engineUrl, await stateTokenAt(await asks(browser, changes)), ada)
  return { browser, code: (await ends(browser, end)).code ?? '' }
}

const redeem = async (code: unknown, issuer = idp.issuer) =>
  (
    await post(`${issuer}/v1/token`, {
      ...{ grant_type: 'authorization_code', code: String(code), redirect_uri: redirectUri },
      ...{ client_id: app.id, code_verifier: verifier },
    })
  ).body

const acrsOf = (tokens: Awaited<ReturnType<typeof redeem>>) => [
  claimsOf(tokens.id_token).acr,
  claimsOf(tokens.access_token).acr,
]

const pwd = 'urn:okta:loa:1fa:pwd'
const two = 'urn:okta:loa:2fa:any'
const ifPossible = 'urn:okta:loa:2fa:any:ifpossible'

test.each([
  ['urn:okta:loa:1fa:any', 'urn:okta:loa:1fa:any'],
  [pwd, pwd],
  ['urn:example:unknown', undefined],
  // Of several the first that was reached; the weakest is what is asked for.
  [`${two} ${pwd}`, pwd],
  [`urn:example:unknown ${pwd}`, pwd],
])('acr_values=%s: a password reaches %s, in both tokens and after a refresh', async (asked, reached) => {
  const tokens = await redeem((await signedIn({ acr_values: asked })).code)
  expect(acrsOf(tokens)).toEqual([reached, reached])
  const refreshed = await post(`${idp.issuer}/v1/token`, refreshing(app, tokens.refresh_token))
  expect(acrsOf(refreshed.body)).toEqual([reached, reached])
})

test('without acr_values no token has acr', async () => {
  expect(acrsOf(await redeem((await signedIn()).code))).toEqual([undefined, undefined])
})

test.each([two, ifPossible])('acr_values=%s: a session steps up by what is missing alone', async (asked) => {
  const { browser } = await signedIn()
  expect(answerIn(await asks(browser, { acr_values: asked, prompt: 'none' }))).toMatchObject({
    error: 'login_required',
  })
  const stateToken = await stateTokenAt(await asks(browser, { acr_values: asked }))
  const asksMore = await idx(idp.engineUrl, 'introspect', { stateToken })
  expect(JSON.stringify(asksMore)).not.toContain('"label":"Password"')
  const done = await proves(asksMore, 'Email')
  const tokens = await redeem((await ends(browser, done)).code)
  expect(acrsOf(tokens)).toEqual([asked, asked])
  expect(claimsOf(tokens.id_token).amr).toContain('mfa')
  // From then on it is answered at once.
  expect(answerIn(await asks(browser, { acr_values: asked, prompt: 'none' }))).toHaveProperty('code')
})

describe('what the user has no way to prove', () => {
  const unmet = {
    error: 'unmet_authentication_requirements',
    state: 'a state',
    error_description: expect.stringContaining('acr_values'),
  }

  test.each(['phr', 'phrh'])(
    'A80: acr_values=%s that cannot be met is answered behind the proof, in its own browser',
    async (asked) => {
      const browser = newBrowser()
      const stateToken = await stateTokenAt(await asks(browser, { acr_values: asked }))
      const page = await idx(idp.engineUrl, 'introspect', { stateToken })
      // The first page says nothing of it: it is the same for every name (A53).
      expect(formsOf(page)).toContain('identify')
      const end = await signsIn(idp.engineUrl, stateToken, ada)
      expect(end.success?.name).toBe('success-redirect')
      expect(await ends(browser, end)).toEqual({ ...unmet, iss: idp.issuer })
      // The same once more, no session, and nothing in another browser (A80).
      expect(await ends(browser, end)).toMatchObject(unmet)
      expect(browser.cookies.has('rekey_session')).toBe(false)
      expect((await newBrowser().goes(String(end.success?.href))).status).toBe(400)
    },
  )

  test('of a session: at once, with and without a prompt, and the session stays', async () => {
    const { browser } = await signedIn()
    expect(answerIn(await asks(browser, { acr_values: 'phr' }))).toMatchObject(unmet)
    expect(answerIn(await asks(browser, { acr_values: 'phr', prompt: 'none' }))).toMatchObject(unmet)
    expect(answerIn(await asks(browser, { prompt: 'none' }))).toHaveProperty('code')
    // Another account may: who is to sign in anew is asked.
    const anew = await asks(browser, { acr_values: 'phr', prompt: 'login' })
    expect(anew.headers.get('location')).toMatch(/\/signin\?t=/)
  })

  test('beside a level that can be met it is none', async () => {
    const { code } = await signedIn({ acr_values: `phr ${pwd}` })
    expect(acrsOf(await redeem(code))).toEqual([pwd, pwd])
  })

  test('where the app shows its own pages it is a message on them', async () => {
    const visitor = newVisitor(idp, { parameters: { acr_values: 'phr' } })
    await visitor.signsIn(ada.login, ada.password)
    expect(visitor.response.interactionCode).toBeUndefined()
    expect(visitor.response.text).toContain('security.access_denied')
  })

  test('the log has the reason', async () => {
    const reasons = (await idp.events())
      .filter(({ eventType }) => eventType === 'policy.evaluate_sign_on')
      .map(({ outcome }) => outcome.reason)
    expect(reasons).toContain('UNMET_AUTHENTICATION_REQUIREMENTS')
  })
})

test('max_age: too old a session proves again, auth_time is new, and 0 always asks', async () => {
  const { browser, code } = await signedIn({ max_age: '60' })
  const first = claimsOf((await redeem(code)).id_token)
  idp.clock.advance(61_000)
  expect(answerIn(await asks(browser, { max_age: '60', prompt: 'none' }))).toMatchObject({
    error: 'login_required',
  })
  const stateToken = await stateTokenAt(await asks(browser, { max_age: '60' }))
  const again = await idx(idp.engineUrl, 'introspect', { stateToken })
  const done = await proves(again, 'Password')
  const second = claimsOf((await redeem((await ends(browser, done)).code)).id_token)
  expect(Number(second.auth_time)).toBeGreaterThanOrEqual(Number(first.auth_time))
  expect(answerIn(await asks(browser, { max_age: '60', prompt: 'none' }))).toHaveProperty('code')
  expect(answerIn(await asks(browser, { max_age: '0', prompt: 'none' }))).toMatchObject({
    error: 'login_required',
  })
  // Okta writes -1 where there is none.
  expect(answerIn(await asks(browser, { max_age: '-1', prompt: 'none' }))).toHaveProperty('code')
})

describe.skipIf(!hasClients)('published clients', () => {
  test('oauth4webapi takes max_age with auth_time, and the error as an error', async () => {
    const oauth = await importClient<Oauth4webapi>('oauth4webapi')
    const insecure = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(idp.issuer)
    const as: ServerMetadata = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure }),
    )
    const client = { client_id: app.id }
    const { code } = await signedIn({ max_age: '60', acr_values: pwd })
    const answer = new URL(
      `${redirectUri}?${new URLSearchParams({ code, state: 'a state', iss: idp.issuer })}`,
    )
    const parameters = oauth.validateAuthResponse(as, client, answer, 'a state')
    const response = await oauth.authorizationCodeGrantRequest(
      ...([as, client, oauth.None(), parameters, redirectUri, verifier, insecure] as const),
    )
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      ...{ expectedNonce: 'a nonce', maxAge: 60, requireIdToken: true },
    })
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ acr: pwd })

    const { browser } = await signedIn()
    const refused = await asks(browser, { acr_values: 'phr' })
    expect(() =>
      oauth.validateAuthResponse(as, client, new URL(refused.headers.get('location') ?? ''), 'a state'),
    ).toThrow(expect.objectContaining({ error: 'unmet_authentication_requirements' }))
  })

  test('openid-client reads the level from the claims', async () => {
    const oidc = await importClient<OpenidRedirects>('openid-client')
    const secret = await register(idp, { grantTypes })
    const options = { execute: [oidc.allowInsecureRequests] }
    const config = await oidc.discovery(new URL(idp.issuer), secret.id, secret.secret, undefined, options)
    const url = oidc.buildAuthorizationUrl(config, {
      ...{ redirect_uri: redirectUri, scope: 'openid', acr_values: pwd, max_age: '30', state: 's' },
      ...{ code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    })
    const browser = newBrowser()
    const end = await signsIn(idp.engineUrl, await stateTokenAt(await browser.goes(url.href)), ada)
    const back = (await browser.goes(String(end.success?.href))).headers.get('location') ?? ''
    const checks = { pkceCodeVerifier: verifier, expectedState: 's', maxAge: 30 }
    const tokens = await oidc.authorizationCodeGrant(config, new URL(back), checks)
    expect(tokens.claims()).toMatchObject({ acr: pwd })
  })
})

// okta-auth-js throws where the level that it asked for does not come back letter by letter.
test.each([pwd, two, ifPossible])('okta-auth-js takes the tokens of acrValues=%s', async (asked) => {
  const auth = new OktaAuth({ issuer: idp.issuer, clientId: app.id, redirectUri, pkce: true })
  // Few mails go to one address in a while.
  idp.clock.advance(3_600_000)
  const browser = newBrowser()
  let end = await signsIn(idp.engineUrl, await stateTokenAt(await asks(browser, { acr_values: asked })), ada)
  if (end.success === undefined) end = await proves(end, 'Email')
  const { code = '' } = await ends(browser, end)
  const { tokens } = await auth.token.exchangeCodeForTokens({
    ...{ authorizationCode: code, codeVerifier: verifier, acrValues: asked, scopes: ['openid', 'profile'] },
  })
  expect(tokens.idToken?.claims.acr).toBe(asked)
  const wrong = await signedIn({ acr_values: pwd })
  const refused = auth.token.exchangeCodeForTokens({
    ...{ authorizationCode: wrong.code, codeVerifier: verifier, acrValues: 'phr', scopes: ['openid'] },
  })
  await expect(refused).rejects.toThrow(/acr/i)
})

/** What is used of `openid-client` 6 for a redirect. */
interface OpenidRedirects {
  readonly allowInsecureRequests: unknown
  discovery(
    issuer: URL,
    id: string,
    secret: string | undefined,
    method: undefined,
    options: object,
  ): Promise<object>
  buildAuthorizationUrl(config: object, parameters: Readonly<Record<string, string>>): URL
  calculatePKCECodeChallenge(verifier: string): Promise<string>
  authorizationCodeGrant(
    config: object,
    url: URL,
    checks: object,
  ): Promise<{ claims(): Readonly<Record<string, unknown>> | undefined }>
}

test('acr_values=2fa:any leads who has no second factor to the enrolment of one; ifpossible does not', async () => {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', okta_email: 'NOT_ALLOWED' })
  const begins = async (asked: string) =>
    signsIn(idp.engineUrl, await stateTokenAt(await asks(newBrowser(), { acr_values: asked })), ada)
  expect(formsOf(await begins(two))).toContain('select-authenticator-enroll')
  expect((await begins(ifPossible)).success?.name).toBe('success-redirect')
})
