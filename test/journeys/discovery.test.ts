import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { answerIn, authorizeUrl, newBrowser } from '../support/redirects.ts'
import { basic, get, post, type RegisteredClient, register, startShop } from '../wire/oauth-app.ts'

// Discovery says what is served: each member is compared with what the endpoint does, and a member that is new has to be.
let idp: Kit
let app: RegisteredClient
let spa: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  const grantTypes = ['authorization_code', 'refresh_token']
  app = await register(idp, { grantTypes })
  spa = await register(idp, { grantTypes, applicationType: 'browser' })
})
afterAll(() => idp.close())

type Metadata = Readonly<Record<string, unknown>>

describe.each(['default', 'org'] as const)('the server %s', (id) => {
  const issuer = () => (id === 'default' ? idp.issuer : idp.orgIssuer)
  const oauth = () => `${idp.engineUrl}/oauth2${id === 'default' ? '/default' : ''}`
  const metadata = async (name = 'openid-configuration'): Promise<Metadata> =>
    (await get(`${issuer()}/.well-known/${name}`)).body
  const list = async (member: string) => (await metadata())[member] as readonly string[]
  const refusal = async (changes: Readonly<Record<string, string | undefined>>) =>
    answerIn(await newBrowser().goes(authorizeUrl(oauth(), app, changes)))

  /** What each member is compared with. */
  const compared: Readonly<Record<string, (value: unknown) => Promise<unknown>>> = {
    issuer: async (value) => expect(value).toBe(issuer()),
    jwks_uri: async (value) => expect((await get(String(value))).body).toHaveProperty('keys'),
    authorization_endpoint: async (value) =>
      expect((await newBrowser().goes(String(value))).status).toBe(400),
    ...Object.fromEntries(
      [
        ...['token_endpoint', 'interaction_endpoint', 'introspection_endpoint', 'revocation_endpoint'],
        'pushed_authorization_request_endpoint',
      ].map((member) => [
        member,
        async (value: unknown) => {
          // It is there, and wants a client.
          const { status, body } = await post(String(value), {})
          expect([status, body.error], member).toEqual([
            400,
            expect.stringMatching(/^invalid_(request|client)$/),
          ])
        },
      ]),
    ),
    userinfo_endpoint: async (value) => expect((await get(String(value))).status).toBe(401),
    end_session_endpoint: async (value) =>
      expect([200, 302, 400]).toContain((await get(String(value))).status),
    dpop_signing_alg_values_supported: async (value) => {
      // What a proof is made by: test/attacks/dpop.test.ts.
      expect(value).toEqual(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])
      const { body } = await post(`${oauth()}/v1/token`, {}, { dpop: 'none' })
      expect(body.error).toBe('invalid_dpop_proof')
    },
    // Who gets logout tokens, and that they have `sid`: test/wire/back-channel-logout.test.ts.
    backchannel_logout_supported: async (value) => expect(value).toBe(true),
    backchannel_logout_session_supported: async (value) => expect(value).toBe(true),
    response_types_supported: async (value) => {
      expect(value).toEqual(['code'])
      expect(await refusal({ response_type: 'code', prompt: 'none' })).toMatchObject({
        error: 'login_required',
      })
      for (const type of ['token', 'id_token', 'code token', 'code id_token', 'id_token token']) {
        expect(await refusal({ response_type: type }), type).toMatchObject({
          error: 'unsupported_response_type',
        })
      }
    },
    async response_modes_supported(value) {
      for (const mode of value as readonly string[]) {
        const at = await newBrowser().goes(
          authorizeUrl(oauth(), app, { response_mode: mode, prompt: 'none' }),
        )
        const isPage = mode === 'form_post' || mode === 'okta_post_message'
        expect(at.status, mode).toBe(isPage ? 200 : 302)
        const text = isPage ? await at.text() : String(at.headers.get('location'))
        expect(text, mode).toContain('login_required')
      }
      const { error } = await refusal({ response_mode: 'web_message' })
      expect(error).toBe('unsupported_response_mode')
    },
    async grant_types_supported(value) {
      const known = [
        ...(value as readonly string[]),
        'password',
        'implicit',
        'urn:ietf:params:oauth:grant-type:device_code',
      ]
      for (const grant of known) {
        const { body } = await post(
          `${oauth()}/v1/token`,
          { grant_type: grant },
          { authorization: basic(app) },
        )
        const isServed = (value as readonly string[]).includes(grant)
        if (isServed) expect(body.error, grant).not.toBe('unsupported_grant_type')
        else expect(body.error, grant).toBe('unsupported_grant_type')
      }
    },
    async scopes_supported(value) {
      const all = (value as readonly string[]).join(' ')
      expect(await refusal({ scope: all, prompt: 'none' })).toMatchObject({ error: 'login_required' })
      expect(await refusal({ scope: `${all} other` })).toMatchObject({ error: 'invalid_scope' })
    },
    async prompt_values_supported(value) {
      for (const prompt of value as readonly string[]) {
        expect((await refusal({ prompt })).error, prompt).not.toBe('invalid_request')
      }
      expect(await refusal({ prompt: 'select_account' })).toMatchObject({ error: 'invalid_request' })
    },
    async code_challenge_methods_supported(value) {
      expect(value).toEqual(['S256'])
      expect(await refusal({ code_challenge_method: 'plain' })).toMatchObject({ error: 'invalid_request' })
    },
    token_endpoint_auth_methods_supported: authenticates('token'),
    introspection_endpoint_auth_methods_supported: authenticates('introspect'),
    revocation_endpoint_auth_methods_supported: authenticates('revoke'),
    authorization_response_iss_parameter_supported: async (value) => {
      expect(value).toBe(true)
      expect(await refusal({ prompt: 'none' })).toMatchObject({ iss: issuer() })
    },
    // What `openid-basic.test.ts` compares.
    ...Object.fromEntries(
      [
        ...['id_token_signing_alg_values_supported', 'claims_supported', 'claims_parameter_supported'],
        ...['request_parameter_supported', 'request_uri_parameter_supported', 'subject_types_supported'],
      ].map((member) => [member, async (value: unknown) => expect(value).toBeDefined()]),
    ),
    // What `service-apps.test.ts` compares: algorithms of assertions.
    ...Object.fromEntries(
      ['token', 'introspection', 'revocation'].map((name) => [
        `${name}_endpoint_auth_signing_alg_values_supported`,
        async (value: unknown) => expect(value).not.toContain('HS256'),
      ]),
    ),
  }

  /** By secret in either way, and without one where the client has none. */
  function authenticates(endpoint: string) {
    return async (value: unknown) => {
      expect(value).toEqual(expect.arrayContaining(['client_secret_basic', 'client_secret_post', 'none']))
      const url = `${oauth()}/v1/${endpoint}`
      const form = { token: 'none', grant_type: 'refresh_token', refresh_token: 'none' }
      const answers = [
        await post(url, form, { authorization: basic(app) }),
        await post(url, { ...form, client_id: app.id, client_secret: String(app.secret) }),
        await post(url, { ...form, client_id: spa.id }),
      ]
      expect(answers.map(({ body }) => body.error)).not.toContain('invalid_client')
      const { body } = await post(url, { ...form, client_id: app.id })
      expect(body.error).toBe('invalid_client')
    }
  }

  test('each member is what is served', async () => {
    const all = await metadata()
    expect(Object.keys(all).filter((member) => compared[member] === undefined)).toEqual([])
    for (const [member, value] of Object.entries(all)) await compared[member]?.(value)
  })

  test('what is not served is not there', async () => {
    const all = await metadata()
    for (const member of ['device_authorization_endpoint', 'registration_endpoint', 'check_session_iframe']) {
      expect(all).not.toHaveProperty(member)
    }
    expect(await list('response_modes_supported')).not.toContain('jwt')
    expect(await metadata('oauth-authorization-server')).toMatchObject({ issuer: issuer() })
  })
})
