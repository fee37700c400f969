import { OktaAuth } from '@okta/okta-auth-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient, requireClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import type { JwtVerifierClass, OpenidClient } from '../support/openid-client.ts'
import {
  claimsOf,
  type RegisteredClient,
  redirectUri,
  signedOutUri,
  signIn,
  spa,
  startShop,
  web,
} from '../wire/oauth-app.ts'

// Published libraries, unmodified, over real HTTP, after a sign-in with a password.
let idp: Kit
let client: OpenidClient
/** Ada's id. */
let userId: string

beforeAll(async () => {
  idp = await startShop()
  if (hasClients) client = await importClient('openid-client')
  userId = (await apiOf(idp)('GET', '/users/ada')).body.id
})
afterAll(() => idp.close())

describe.skipIf(!hasClients).each(['default', 'org'] as const)('openid-client at the issuer %s', (id) => {
  const issuer = () => (id === 'default' ? idp.issuer : idp.orgIssuer)
  const oauth = () => `${idp.engineUrl}/oauth2${id === 'default' ? '/default' : ''}`

  async function discover(registered: RegisteredClient, authentication?: unknown) {
    const options = { execute: [client.allowInsecureRequests] }
    return client.discovery(new URL(issuer()), registered.id, registered.secret, authentication, options)
  }

  test.each([
    ['by Basic', () => client.ClientSecretBasic()],
    ['by post', () => client.ClientSecretPost()],
  ])('discovers, exchanges a code, refreshes, asks and revokes, authenticated %s', async (_how, method) => {
    const config = await discover(web, method())
    const { code, verifier } = await signIn(idp, { server: id })

    const tokens = await client.genericGrantRequest(config, 'interaction_code', {
      interaction_code: code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    })
    const refreshed = await client.refreshTokenGrant(config, String(tokens.refresh_token))
    const sub = String(refreshed.claims()?.sub)
    const info = await client.fetchUserInfo(config, refreshed.access_token, sub)
    const seen = await client.tokenIntrospection(config, refreshed.access_token)

    expect(sub).toBe(userId)
    expect(info).toMatchObject({ sub, email: 'ada@example.com' })
    expect(seen).toMatchObject({ active: true, username: 'ada' })
    await client.tokenRevocation(config, String(refreshed.refresh_token))
    expect(await client.tokenIntrospection(config, refreshed.access_token)).toEqual({ active: false })
    await expect(client.refreshTokenGrant(config, String(refreshed.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  test('works for a client without a secret, and builds the address for signing out', async () => {
    const config = await discover(spa, client.None())
    const { code, verifier } = await signIn(idp, { server: id, client: spa })

    const tokens = await client.genericGrantRequest(config, 'interaction_code', {
      interaction_code: code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    })
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: signedOutUri,
      state: 'gone',
    })
    const response = await fetch(url, { redirect: 'manual' })

    expect(response.headers.get('location')).toBe(`${signedOutUri}?state=gone`)
  })

  test('@okta/jwt-verifier takes the access token and the ID token', async () => {
    const { exchange } = await signIn(idp, { server: id })
    const config = await discover(web)
    const tokens = await client.genericGrantRequest(config, 'interaction_code', {
      interaction_code: exchange.interaction_code,
      code_verifier: exchange.code_verifier,
    })
    const JwtVerifier = requireClient<JwtVerifierClass>('@okta/jwt-verifier')
    const verifier = new JwtVerifier({
      issuer: issuer(),
      clientId: web.id,
      // The verifier's own guess, the issuer's path, holds for custom servers only.
      jwksUri: `${oauth()}/v1/keys`,
      testing: { disableHttpsCheck: true },
    })

    const audience = id === 'default' ? 'api://default' : issuer()
    const { claims } = await verifier.verifyAccessToken(tokens.access_token, audience)
    const idToken = await verifier.verifyIdToken(String(tokens.id_token), web.id, 'a nonce')

    expect(claims).toMatchObject({ sub: 'ada', uid: userId, cid: web.id })
    expect(idToken.claims).toMatchObject({ sub: userId, preferred_username: 'ada' })
    await expect(verifier.verifyAccessToken(tokens.access_token, 'api://other')).rejects.toThrow(/aud/)
  })
})

describe('okta-auth-js 8', () => {
  /** The SDK of one visitor, who has just signed in. */
  async function signedIn(registered: RegisteredClient) {
    const auth = new OktaAuth({
      issuer: idp.issuer,
      clientId: registered.id,
      ...(registered.secret !== undefined && { clientSecret: registered.secret }),
      redirectUri,
      postLogoutRedirectUri: signedOutUri,
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      storageManager: Object.fromEntries(
        ['token', 'cache', 'transaction', 'shared-transaction', 'idx-response'].map((name) => [
          name,
          { storageProvider: memory() },
        ]),
      ),
      tokenManager: { autoRenew: false },
    })
    const { code, verifier } = await signIn(idp, { client: registered })
    const { tokens } = await auth.token.exchangeCodeForTokens({
      interactionCode: code,
      codeVerifier: verifier,
      redirectUri,
      clientId: registered.id,
      scopes: ['openid', 'profile', 'email', 'offline_access'],
    })
    auth.tokenManager.setTokens(tokens)
    return { auth, tokens }
  }

  test('exchanges a code and reads the user’s claims', async () => {
    const { auth, tokens } = await signedIn(web)

    const info = await auth.token.getUserInfo()

    expect(info).toMatchObject({ sub: userId, preferred_username: 'ada', given_name: 'Ada' })
    expect(tokens.idToken?.claims).toMatchObject({ sub: userId, name: 'Ada Lovelace' })
  })

  test('renews its tokens with the refresh token', async () => {
    const { auth, tokens } = await signedIn(spa)

    const renewed = await auth.token.renewTokens()

    expect(renewed.accessToken?.accessToken).not.toBe(tokens.accessToken?.accessToken)
    expect(renewed.refreshToken?.refreshToken).not.toBe(tokens.refreshToken?.refreshToken)
    expect(claimsOf(renewed.accessToken?.accessToken).sid).toBe(claimsOf(tokens.accessToken?.accessToken).sid)
    await auth.token.getUserInfo(renewed.accessToken, renewed.idToken)
  })

  test('drops a refresh token that the engine calls invalid', async () => {
    const { auth } = await signedIn(spa)
    await auth.revokeRefreshToken()
    const { auth: other, tokens } = await signedIn(spa)
    await other.token.renewTokens()
    idp.clock.advance(30_000)

    other.tokenManager.setTokens(tokens)
    await expect(other.token.renewTokens()).rejects.toMatchObject({ errorCode: 'invalid_grant' })

    expect(other.tokenManager.getTokensSync().refreshToken).toBeUndefined()
  })

  test('renews the tokens of two tabs at once', async () => {
    const { auth, tokens } = await signedIn(spa)
    const { auth: tab } = await signedIn(spa)
    tab.tokenManager.setTokens(tokens)

    const renewed = await Promise.all([auth.token.renewTokens(), tab.token.renewTokens()])

    const successors = renewed.map(({ refreshToken }) => refreshToken?.refreshToken)
    expect(successors).toEqual([successors[0], successors[0]])
    expect((await tab.token.renewTokens()).accessToken).toBeDefined()
  })

  test.each([web, spa])('revokes access and refresh token of the client $id', async (registered) => {
    const { auth, tokens } = await signedIn(registered)
    const { accessToken, idToken } = tokens

    await auth.revokeAccessToken()
    await expect(auth.token.getUserInfo(accessToken, idToken)).rejects.toMatchObject({
      errorCode: 'invalid_token',
      errorSummary: 'The access token is invalid.',
    })
    await auth.revokeRefreshToken()
    auth.tokenManager.setTokens(tokens)
    await expect(auth.token.renewTokens()).rejects.toThrow()
  })

  test('introspects, and builds an address for signing out that the engine follows', async () => {
    const { auth, tokens } = await signedIn(web)
    const seen = () => auth.token.introspect('accessToken' as never, tokens.accessToken)

    expect(await seen()).toMatchObject({ active: true })
    const response = await fetch(await auth.getSignOutRedirectUrl(), { redirect: 'manual' })

    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe(signedOutUri)
    expect(await seen()).toMatchObject({ active: false })
  })
})

function memory() {
  const items = new Map<string, string>()
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  }
}
