import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import type { Oauth4webapi } from '../support/oauth4webapi.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// Pushed authorization requests (RFC 9126): the app sends the parameters itself, the browser carries a name of them.
let idp: Kit
let app: RegisteredClient
let other: RegisteredClient
let spa: RegisteredClient
const grantTypes = ['authorization_code', 'refresh_token']

beforeAll(async () => {
  idp = await startShop()
  app = await register(idp, { grantTypes })
  other = await register(idp, { grantTypes })
  spa = await register(idp, { grantTypes, applicationType: 'browser' })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>

const oauthOf = (server: 'default' | 'org') =>
  `${idp.engineUrl}/oauth2${server === 'default' ? '/default' : ''}`

const parametersOf = (client: RegisteredClient, changes: Changes = {}) =>
  Object.fromEntries(new URL(authorizeUrl(idp.issuer, client, changes)).searchParams)

const push = (changes: Changes = {}, client = app, server: 'default' | 'org' = 'default') =>
  post(
    `${oauthOf(server)}/v1/par`,
    parametersOf(client, changes),
    client.secret === undefined ? {} : { authorization: basic(client) },
  )

const goes = (uri: unknown, client = app, server: 'default' | 'org' = 'default', more = '') =>
  newBrowser().goes(
    `${oauthOf(server)}/v1/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(uri) })}${more}`,
  )

describe.each(['default', 'org'] as const)('the server %s', (server) => {
  test('takes a request, names it, and the name begins it: what stands beside it is not read', async () => {
    const { status, body, headers } = await push({ state: 'pushed' }, app, server)
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toContain('no-store')
    expect(body).toEqual({ request_uri: expect.stringMatching(/^urn:okta:\w{43}$/), expires_in: 600 })
    const browser = newBrowser()
    const url = `${oauthOf(server)}/v1/authorize?client_id=${app.id}&request_uri=${body.request_uri}`
    const at = await browser.goes(`${url}&redirect_uri=https://evil.example&state=other&prompt=none`)
    const end = await signsIn(idp.engineUrl, await stateTokenAt(at), ada)
    const answer = answerIn(await browser.goes(String(end.success?.href)))
    expect(answer).toMatchObject({ state: 'pushed', code: expect.any(String) })
    const tokens = await post(
      `${oauthOf(server)}/v1/token`,
      {
        ...{ grant_type: 'authorization_code', code: String(answer.code) },
        ...{ redirect_uri: redirectUri, code_verifier: verifier },
      },
      { authorization: basic(app) },
    )
    expect(tokens.body).toHaveProperty('id_token')
  })

  test('a name is good once, for its client and its server, and for ten minutes', async () => {
    const refused = async (at: Promise<Response>) => {
      const { status, headers } = await at
      // No redirect: the address is part of what was pushed.
      expect([status, headers.get('location')]).toEqual([400, null])
    }
    const pushed = async () => (await push({}, app, server)).body.request_uri
    const used = await pushed()
    expect((await goes(used, app, server)).status).toBe(302)
    await refused(goes(used, app, server))
    await refused(goes(await pushed(), other, server))
    await refused(goes(await pushed(), app, server === 'org' ? 'default' : 'org'))
    const old = await pushed()
    idp.clock.advance(600_000)
    await refused(goes(old, app, server))
    await refused(goes('urn:okta:', app, server))
    const twice = await pushed()
    const both = await Promise.all([goes(twice, app, server), goes(twice, app, server)])
    expect(both.map(({ status }) => status).sort()).toEqual([302, 400])
  })
})

test('a body in JSON is taken as the form, and nothing else is', async () => {
  const send = (body: string, type = 'application/json') =>
    post(`${idp.issuer}/v1/par`, body, { authorization: basic(app), 'content-type': type })
  expect((await send(JSON.stringify({ ...parametersOf(app), max_age: 10 }))).status).toBe(201)
  for (const body of ['[]', '{', '{"scope":["openid"]}', '"text"']) {
    const { status, body: answer } = await send(body)
    expect([status, answer.error], body).toEqual([400, 'invalid_request'])
  }
  expect((await send('<a/>', 'text/xml')).status).toBe(415)
})

test.each<[string, Changes, RegisteredClient | undefined, number, string]>([
  [
    'a redirect URI that is not registered',
    { redirect_uri: 'https://evil.example' },
    undefined,
    400,
    'invalid_request',
  ],
  ['a request URI', { request_uri: 'urn:okta:one' }, undefined, 400, 'invalid_request'],
  ['a request object', { request: 'e30.e30.' }, undefined, 400, 'request_not_supported'],
  ['another response type', { response_type: 'token' }, undefined, 400, 'unsupported_response_type'],
  ['an unknown scope', { scope: 'openid all' }, undefined, 400, 'invalid_scope'],
  ['no secret', {}, { id: '', secret: undefined }, 401, 'invalid_client'],
  ['a wrong secret', {}, { id: '', secret: 'wrong' }, 401, 'invalid_client'],
])('a push with %s is refused', async (_what, changes, client, status, error) => {
  const answer = await push(changes, client && { ...client, id: app.id })
  expect([answer.status, answer.body.error]).toEqual([status, error])
})

test('a public client pushes with its id alone, and needs PKCE', async () => {
  expect((await push({}, spa)).status).toBe(201)
  const { body } = await push({ code_challenge: undefined, code_challenge_method: undefined }, spa)
  expect(body.error).toBe('invalid_request')
})

test('what is stored is sealed, and bounded', async () => {
  const { body } = await push({ login_hint: 'ada@example.com', state: 'secret-state' })
  const rows = await idp.engine.storage.db.selectFrom('artifacts').selectAll().execute()
  const text = JSON.stringify(rows)
  expect(rows.some(({ model }) => model === 'PushedRequest')).toBe(true)
  for (const secret of ['secret-state', 'ada@example.com', String(body.request_uri).slice(9)]) {
    expect(text).not.toContain(secret)
  }
  const more = Object.fromEntries([...'abcdef'].map((name) => [name, 'x'.repeat(4000)]))
  expect((await push(more)).status).toBe(400)
})

test('an app that must push is refused where it does not, at its own address', async () => {
  const { body } = await apiOf(idp)('POST', '/apps', {
    ...{ name: 'oidc_client', label: 'Pushes', signOnMode: 'OPENID_CONNECT' },
    credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic' } },
    settings: {
      oauthClient: {
        ...{ application_type: 'web', grant_types: grantTypes, redirect_uris: [redirectUri] },
        pushed_authorization_request_required: true,
      },
    },
  })
  const { oauthClient } = body.credentials as { oauthClient: Readonly<Record<string, string>> }
  const client = { id: oauthClient.client_id ?? '', secret: oauthClient.client_secret }
  const plain = await newBrowser().goes(authorizeUrl(idp.issuer, client))
  expect(answerIn(plain)).toMatchObject({ error: 'invalid_request', state: 'a state' })
  const pushed = await push({}, client)
  expect((await goes(pushed.body.request_uri, client)).headers.get('location')).toContain(
    `${idp.engineUrl}/signin?t=`,
  )
})

test.skipIf(!hasClients)('oauth4webapi pushes', async () => {
  const oauth = await importClient<Oauth4webapi>('oauth4webapi')
  const insecure = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(idp.issuer)
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure }),
  )
  const client = { client_id: app.id }
  const response = await oauth.pushedAuthorizationRequest(
    ...([as, client, oauth.ClientSecretBasic(String(app.secret))] as const),
    new URLSearchParams({
      ...{ redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state: 'one' },
      ...{ code_challenge: s256(verifier), code_challenge_method: 'S256' },
    }),
    insecure,
  )
  const pushed = await oauth.processPushedAuthorizationResponse(as, client, response)
  expect((await goes(pushed.request_uri)).status).toBe(302)
})
