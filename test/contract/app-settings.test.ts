import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { keyPair, serviceBody } from '../wire/service-app.ts'

type Fields = Readonly<Record<string, unknown>>

let idp: Kit
let api: Api
const lines: string[] = []

beforeAll(async () => {
  const stream = { write: (line: string) => void lines.push(line) }
  idp = await startEngine({ log: createLogger({ level: 'warn', stream }) })
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  lines.length = 0
})
afterAll(() => idp.close())

/** What nearly every set-up script sends, and what report 10 found changed or gone. */
const sent = {
  name: 'oidc_client',
  label: 'Shop',
  signOnMode: 'OPENID_CONNECT',
  accessibility: { selfService: true, errorRedirectUrl: 'https://shop.example.com/oops' },
  features: ['IMPORT_NEW_USERS'],
  profile: { team: 'x', tags: ['b', 'a'], owner: null },
  visibility: { autoLaunch: true, hide: { iOS: false, web: false }, appLinks: { oidc_client_link: true } },
  credentials: {
    userNameTemplate: { template: '${source.login}', type: 'BUILT_IN' },
    oauthClient: {
      token_endpoint_auth_method: 'client_secret_post',
      autoKeyRotation: false,
      pkce_required: false,
    },
  },
  settings: {
    app: { colour: 'red' },
    implicitAssignment: true,
    inlineHookId: 'hook',
    notes: { admin: 'Ask Ada', enduser: 'Enjoy' },
    notifications: { vpn: { network: { connection: 'DISABLED' } } },
    oauthClient: {
      application_type: 'web',
      grant_types: ['implicit', 'authorization_code', 'interaction_code', 'refresh_token'],
      response_types: ['token', 'id_token', 'code'],
      redirect_uris: ['https://b.example.com/cb', 'https://a.example.com/cb'],
      post_logout_redirect_uris: ['https://z.example.com/', 'https://a.example.com/'],
      consent_method: 'REQUIRED',
      issuer_mode: 'CUSTOM_URL',
      client_uri: 'https://shop.example.com',
      logo_uri: 'https://shop.example.com/logo.png',
      tos_uri: 'https://shop.example.com/tos',
      policy_uri: 'https://shop.example.com/privacy',
      initiate_login_uri: 'https://shop.example.com/login',
      refresh_token: { rotation_type: 'STATIC', leeway: 60 },
      dpop_bound_access_tokens: false,
      wildcard_redirect: 'SUBDOMAIN',
      idp_initiated_login: { mode: 'SPEC', default_scope: ['openid', 'email'] },
      participate_slo: true,
      frontchannel_logout_uri: 'https://shop.example.com/out',
      email_magic_link_redirect_uri: 'https://shop.example.com/link',
      email_method_choice: true,
      profile_completion: false,
      jwks: { keys: [{ kty: 'RSA', use: 'enc', e: 'AQAB', n: 'x' }] },
      network: { connection: 'ANYWHERE', include: [] },
      a_member_of_tomorrow: { of: ['any', 'shape'] },
    },
  },
}
const bare = {
  label: 'Shop',
  signOnMode: 'OPENID_CONNECT',
  settings: { oauthClient: { redirect_uris: ['https://a.example.com/cb'] } },
}
const oauth = (body: unknown) => (body as { settings: { oauthClient: Fields } }).settings.oauthClient
const credentials = (body: unknown) =>
  (body as { credentials: { oauthClient: Fields } }).credentials.oauthClient
const withOauth = (more: object) => ({
  ...bare,
  settings: { oauthClient: { ...bare.settings.oauthClient, ...more } },
})

describe('what an app is registered with', () => {
  test('is read back as it was sent, lists in their order, wherever it is read', async () => {
    const created = await api('POST', '/apps', sent)
    expect(created.status, created.text).toBe(200)
    const { id } = created.body
    const { name, label, signOnMode, ...rest } = sent
    for (const { body } of [
      created,
      await api('GET', `/apps/${id}`),
      { body: (await api('GET', '/apps?q=sho')).list[0] },
    ]) {
      expect(body).toMatchObject({ name, label, signOnMode, ...rest })
      expect(oauth(body)).toEqual(sent.settings.oauthClient)
    }
  })

  test('is what a second PUT of the same body leaves, so that a tool finds nothing to change', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    const { lastUpdated: _, ...before } = (await api('GET', `/apps/${id}`)).body
    for (const body of [sent, before]) {
      const { lastUpdated: __, ...after } = (await api('PUT', `/apps/${id}`, body)).body
      expect(after).toEqual(before)
    }
  })

  test('goes back to the defaults of Okta where a PUT omits it or has null', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    const defaults = {
      accessibility: { selfService: false, errorRedirectUrl: null, loginRedirectUrl: null },
      features: [],
      visibility: { autoLaunch: false, autoSubmitToolbar: false, hide: { iOS: true, web: true } },
    }
    for (const nulls of [{}, { client_uri: null, consent_method: null, refresh_token: null }]) {
      const { body } = await api('PUT', `/apps/${id}`, withOauth(nulls))
      expect(body).toMatchObject(defaults)
      expect(body).not.toHaveProperty('profile')
      expect(credentials(body)).toEqual({
        client_id: id,
        token_endpoint_auth_method: 'client_secret_basic',
        autoKeyRotation: true,
        pkce_required: false,
      })
      expect(oauth(body)).toEqual({
        application_type: 'web',
        redirect_uris: ['https://a.example.com/cb'],
        post_logout_redirect_uris: [],
        grant_types: ['interaction_code', 'refresh_token'],
        response_types: ['code'],
        consent_method: 'TRUSTED',
        issuer_mode: 'ORG_URL',
        refresh_token: { rotation_type: 'ROTATE', leeway: 30 },
      })
      await api('PUT', `/apps/${id}`, sent)
    }
  })

  test('is named in the log where it is not obeyed, and not where it is', async () => {
    await api('POST', '/apps', sent)
    expect(lines).toHaveLength(1)
    const { msg, ignored, label } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    expect([msg, label]).toEqual(['an app has settings that are not supported', 'Shop'])
    expect(ignored).toEqual(
      expect.arrayContaining([
        'settings.oauthClient.grant_types: implicit: oauth.implicit of the configuration is off',
        'settings.oauthClient.response_types',
        'settings.oauthClient.refresh_token.rotation_type: refresh tokens are rotated',
        'settings.oauthClient.logo_uri',
        'settings.oauthClient.a_member_of_tomorrow.of',
        'visibility.hide.web',
        'profile.team',
      ]),
    )
    expect(JSON.stringify(ignored)).not.toMatch(
      /redirect_uris|refresh_token"|interaction_code|leeway|notes|dpop/,
    )
    lines.length = 0
    await api('POST', '/apps', bare)
    await api('POST', '/apps', withOauth({ grant_types: ['interaction_code'], response_types: ['code'] }))
    expect(lines).toEqual([])
    await api('POST', '/apps', withOauth({ grant_types: ['client_credentials'] }))
    expect(lines.join('')).toContain('settings.oauthClient.grant_types: client_credentials')
  })

  test.each([
    [
      { application_type: 'service', dpop_bound_access_tokens: true },
      'dpop_bound_access_tokens: must be false for a service app: ',
    ],
    [{ network: { connection: 'ZONE', include: ['nzo1'] } }, 'network.connection: must be ANYWHERE: '],
    [{ subject_type: 'pairwise' }, 'subject_type: must be public: '],
    [
      { id_token_encrypted_response_alg: 'RSA-OAEP-256' },
      'id_token_encrypted_response_alg: must be absent: ',
    ],
    [{ jwks: { keys: [{ kty: 'RSA', d: 'secret' }] } }, 'jwks: must not contain private keys'],
  ])('is refused where it promises a protection that there is not: %j', async (more, cause) => {
    const { status, body, text } = await api('POST', '/apps', withOauth(more))
    expect([status, body.errorCode]).toEqual([400, 'E0000001'])
    expect(text).toContain(`"errorSummary":"${cause}`)
    const { id } = (await api('POST', '/apps', bare)).body
    expect((await api('PUT', `/apps/${id}`, withOauth(more))).status).toBe(400)
    expect((await api('POST', `/internal/apps/${id}/settings/oidc`, more)).status).toBe(400)
  })

  test.each([
    ['web', 'private_key_jwt', 'client_secret_basic or client_secret_post'],
    ['web', 'none', 'client_secret_basic or client_secret_post'],
    ['browser', 'client_secret_basic', 'none'],
    ['native', 'client_secret_post', 'none'],
  ])('of a %s app cannot be the authentication by %s', async (application_type, method, allowed) => {
    const body = {
      ...withOauth({ application_type }),
      credentials: { oauthClient: { token_endpoint_auth_method: method } },
    }
    expect((await api('POST', '/apps', body)).body.errorCauses).toEqual([
      { errorSummary: `token_endpoint_auth_method: must be ${allowed} for this application_type` },
    ])
  })

  test('is no way to get tokens that the engine does not issue', async () => {
    const { body } = await api('POST', '/apps', withOauth({ grant_types: ['implicit', 'password'] }))
    const { id } = body
    const secret = { client_id: id, client_secret: String(credentials(body).client_secret) }
    const refused = { error: 'unauthorized_client' }
    for (const [path, form] of [
      ['token', { grant_type: 'refresh_token', refresh_token: 'x' }],
      [
        'interact',
        {
          scope: 'openid',
          state: 's',
          redirect_uri: 'https://a.example.com/cb',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
        },
      ],
    ] as const) {
      const sent = new URLSearchParams({ ...form, ...secret })
      const answer = await fetch(`${idp.issuer}/v1/${path}`, { method: 'POST', body: sent })
      expect([answer.status, await answer.json()], path).toMatchObject([400, refused])
    }
    const form = { ...secret, grant_type: 'password', username: 'mary', password: 'x' }
    const answer = await fetch(`${idp.issuer}/v1/token`, { method: 'POST', body: new URLSearchParams(form) })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'unsupported_grant_type' }])
    expect((await fetch(`${idp.issuer}/v1/authorize?response_type=token&client_id=${id}`)).status).toBe(400)
  })

  test.each(['client_secret_basic', 'client_secret_post'])(
    'as %s is shown so, and its secret is accepted in either place',
    async (token_endpoint_auth_method) => {
      const { body } = await api('POST', '/apps', {
        ...bare,
        credentials: { oauthClient: { token_endpoint_auth_method } },
      })
      const { client_secret: secret, token_endpoint_auth_method: shown } = credentials(body)
      expect(shown).toBe(token_endpoint_auth_method)
      const refresh = { grant_type: 'refresh_token', refresh_token: 'x' }
      const basic = `Basic ${Buffer.from(`${body.id}:${secret}`).toString('base64')}`
      for (const [form, headers] of [
        [{ ...refresh, client_id: body.id, client_secret: String(secret) }, {}],
        [refresh, { authorization: basic }],
      ] as const) {
        const sent = new URLSearchParams(form)
        const answer = await fetch(`${idp.issuer}/v1/token`, { method: 'POST', headers, body: sent })
        // The secret was accepted: it is the refresh token that is none.
        expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }])
      }
    },
  )

  test('has a bound, since each request of the app loads it', async () => {
    const { body } = await api('POST', '/apps', { ...bare, profile: { text: 'x'.repeat(17_000) } })
    expect(body.errorCauses).toEqual([
      {
        errorSummary: expect.stringMatching(
          /^body: must have at most 16384 characters of settings, and has 17/,
        ),
      },
    ])
  })

  test('stays where its row was written by an older version', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    const settings = { ...sent.settings.oauthClient }
    const { db } = idp.engine.storage
    const older = {
      applicationType: 'web',
      redirectUris: settings.redirect_uris,
      postLogoutRedirectUris: [],
      grantTypes: ['interaction_code'],
    }
    await db
      .updateTable('clients')
      .set({ settings: JSON.stringify(older) })
      .where('id', '=', id)
      .execute()
    const { body } = await api('GET', `/apps/${id}`)
    expect(oauth(body)).toMatchObject({ grant_types: ['interaction_code'], consent_method: 'TRUSTED' })
    expect((await api('PUT', `/apps/${id}`, body)).status).toBe(200)
  })

  test('of a service are also members of its keys that the engine does not read', async () => {
    const { publicJwk } = await keyPair('ES256')
    const key = { ...publicJwk, status: 'ACTIVE', id: 'pks1', created: '2024-01-01T00:00:00Z' }
    const { body } = await api('POST', '/apps', serviceBody([key]))
    expect(oauth(body).jwks).toEqual({ keys: [key] })
    const inactive = await api('POST', '/apps', serviceBody([{ ...publicJwk, status: 'INACTIVE' }]))
    expect(inactive.text).toContain('jwks: a key must have the status ACTIVE')
  })

  test('may be sent back with the secret that the creation answered, and with no other one', async () => {
    const { body } = await api('POST', '/apps', sent)
    expect(credentials(body).client_secret).toMatch(/^[\w-]{43}$/)
    expect((await api('PUT', `/apps/${body.id}`, { ...body, label: 'Store' })).status).toBe(200)
    const other = { ...body, credentials: { oauthClient: { client_secret: 'another-secret-of-the-app' } } }
    const refused = await api('PUT', `/apps/${body.id}`, other)
    expect(refused.text).toContain('client_secret: cannot be changed here')
  })

  test('may be inactive at first', async () => {
    const { body } = await api('POST', '/apps?activate=false', bare)
    expect(body.status).toBe('INACTIVE')
  })
})

describe('POST /internal/apps/{id}/settings/oidc', () => {
  test('takes all settings with a label and the address of magic links', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    const settings = {
      ...sent.settings.oauthClient,
      consent_method: 'TRUSTED',
      email_magic_link_redirect_uri: 'https://shop.example.com/other',
    }
    const { status, body } = await api('POST', `/internal/apps/${id}/settings/oidc`, {
      ...settings,
      client_id: id,
      label: 'Store',
    })
    expect([status, body.label]).toEqual([200, 'Store'])
    const after = (await api('GET', `/apps/${id}`)).body
    expect(oauth(after)).toEqual(settings)
    expect(after).toMatchObject({ profile: sent.profile, label: 'Store' })
    expect(credentials(after)).toMatchObject(sent.credentials.oauthClient)
  })

  test('leaves alone what it does not have, and removes what is null', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    const change = { client_uri: null, email_magic_link_redirect_uri: null }
    const { body } = await api('POST', `/internal/apps/${id}/settings/oidc`, change)
    const { client_uri: _, email_magic_link_redirect_uri: __, ...rest } = sent.settings.oauthClient
    expect(oauth(body)).toEqual(rest)
    expect(body.label).toBe('Shop')
  })

  test('refuses what PUT refuses, and an app that there is not', async () => {
    const { id } = (await api('POST', '/apps', sent)).body
    for (const change of [
      { redirect_uris: ['x y'] },
      { label: '' },
      { client_id: 'another-client' },
      { leeway: 1, refresh_token: { leeway: 61 } },
    ]) {
      expect((await api('POST', `/internal/apps/${id}/settings/oidc`, change)).status).toBe(400)
    }
    expect((await api('POST', '/internal/apps/0oaNone/settings/oidc', {})).status).toBe(404)
  })
})

describe('the scopes of an app that users sign in to', () => {
  const families = [
    'profile',
    'email',
    'phone',
    'password',
    'authenticator',
    'authenticators',
    'webauthn',
    'sessions',
  ]
  const scopes = families.flatMap((family) =>
    ['read', 'manage'].map((way) => `okta.myAccount.${family}.${way}`),
  )
  const grant = (id: string, scopeId: string, issuer = idp.engineUrl) =>
    api('POST', `/apps/${id}/grants`, { issuer, scopeId })

  test.each(['web', 'browser', 'native'])(
    'are those of okta.myAccount, for a %s app',
    async (application_type) => {
      const { id } = (await api('POST', '/apps', withOauth({ application_type }))).body
      for (const scopeId of scopes) {
        expect(await grant(id, scopeId)).toMatchObject({
          status: 201,
          body: { scopeId, issuer: idp.engineUrl, clientId: id, status: 'ACTIVE' },
        })
      }
      const { list } = await api('GET', `/apps/${id}/grants`)
      expect(list.map(({ scopeId }) => scopeId).toSorted()).toEqual(scopes.toSorted())
    },
  )

  test('are no others, and none of them is a service app’s', async () => {
    const { publicJwk } = await keyPair()
    const { id: service } = (await api('POST', '/apps', serviceBody([publicJwk]))).body
    for (const [id, scopeId, cause] of [
      [idp.clientId, 'okta.users.read', /^scopeId: scopes of the management API can only be granted to/],
      [
        idp.clientId,
        'okta.myAccount.everything.read',
        /^scopeId: okta.myAccount.everything.read is not a scope/,
      ],
      [idp.clientId, 'openid', /^scopeId: openid is not a scope/],
      [service, 'okta.myAccount.profile.read', /^scopeId: scopes of okta.myAccount are for users/],
    ] as const) {
      const { status, body } = await grant(id, scopeId)
      expect([status, body.errorCauses]).toEqual([400, [{ errorSummary: expect.stringMatching(cause) }]])
    }
    for (const issuer of ['https://other.example', `${idp.engineUrl}/oauth2/default`]) {
      const { body } = await grant(idp.clientId, 'okta.myAccount.email.read', issuer)
      expect(body.errorSummary).toBe('Api validation failed: issuer')
    }
  })
})

describe('a policy of an app', () => {
  const policyIn = (body: unknown, name: string) =>
    (body as { _links: Record<string, { href: string } | undefined> })._links[name]?.href.split('/').at(-1)

  test('may be one of profile enrollment: shown by the app and by the policy', async () => {
    const { id } = (await api('POST', '/policies', { type: 'PROFILE_ENROLLMENT', name: 'Sign up' })).body
    expect((await api('PUT', `/apps/${idp.clientId}/policies/${id}`)).status).toBe(204)
    const app = (await api('GET', `/apps/${idp.clientId}`)).body
    expect(policyIn(app, 'profileEnrollment')).toBe(id)
    expect(policyIn(app, 'accessPolicy')).toMatch(/^rst/)
    expect((await api('GET', `/policies/${id}/app`)).list.map((one) => one.id)).toEqual([idp.clientId])
    expect(lines.join('')).not.toContain('not evaluated')

    // It stays with the next PUT, and goes with the policy.
    await api('PUT', `/apps/${idp.clientId}`, app)
    expect(policyIn((await api('GET', `/apps/${idp.clientId}`)).body, 'profileEnrollment')).toBe(id)
    expect((await api('DELETE', `/policies/${id}`)).status).toBe(204)
    expect(policyIn((await api('GET', `/apps/${idp.clientId}`)).body, 'profileEnrollment')).not.toBe(id)
  })

  test.each(['MFA_ENROLL', 'PASSWORD', 'OKTA_SIGN_ON', 'IDP_DISCOVERY'])(
    'is none of the type %s',
    async (type) => {
      const { id } = (await api('POST', '/policies', { type, name: 'Any' })).body
      for (const answer of [
        await api('PUT', `/apps/${idp.clientId}/policies/${id}`),
        await api('POST', `/policies/${id}/mappings`, { resourceId: idp.clientId, resourceType: 'APP' }),
      ]) {
        expect([answer.status, answer.body.errorCauses]).toEqual([
          400,
          [
            {
              errorSummary: `policyId: must be of the type ACCESS_POLICY or PROFILE_ENROLLMENT; policies of the type ${type} apply by group, and their rules to the apps of conditions.app`,
            },
          ],
        ])
      }
    },
  )

  test.each(['ACCESS_POLICY', 'PROFILE_ENROLLMENT'])(
    'of the type %s is mapped, listed and unmapped',
    async (type) => {
      const { id } = (await api('POST', '/policies', { type, name: 'Own' })).body
      const path = `/policies/${id}/mappings`
      const made = await api('POST', path, { resourceId: idp.clientId, resourceType: 'APP' })
      expect(policyIn(made.body, 'application')).toBe(idp.clientId)
      expect((await api('GET', path)).list).toEqual([made.body])
      expect((await api('GET', `${path}/${made.body.id}`)).body).toEqual(made.body)
      expect((await api('DELETE', `${path}/${made.body.id}`)).status).toBe(204)
      expect((await api('GET', path)).list).toEqual([])
      expect((await api('DELETE', `${path}/${made.body.id}`)).status).toBe(404)
      expect((await api('POST', path, { resourceId: '0oaNone' })).status).toBe(404)
    },
  )
})

describe('an assignment', () => {
  const assigned = async () => {
    const group = (await api('POST', '/groups', { profile: { name: 'Staff' } })).body.id
    const user = (await api('GET', `/users/${idp.person.login}`)).body.id
    return { group: `/apps/${idp.clientId}/groups/${group}`, users: `/apps/${idp.clientId}/users`, user }
  }

  test('keeps priority, profile and its own time, and reads back as it was sent', async () => {
    const { group, users, user } = await assigned()
    const made = (await api('PUT', group, { priority: 3, profile: { role: 'x', list: ['b', 'a'] } })).body
    expect(made).toMatchObject({ priority: 3, profile: { role: 'x', list: ['b', 'a'] } })
    expect((await api('GET', group)).body).toEqual(made)
    idp.clock.advance('1h')
    // Repeated without a body, as a set-up script does: nothing that is there changes.
    expect((await api('PUT', group)).body).toEqual(made)
    expect((await api('PUT', group, { priority: 0, profile: {} })).body).toMatchObject({
      priority: 0,
      profile: {},
      lastUpdated: made.lastUpdated,
    })
    const app = (await api('POST', users, { id: user, scope: 'USER', profile: { salary: 1 } })).body
    expect(app.profile).toEqual({ salary: 1 })
    expect(app.created).not.toBe((await api('GET', `/users/${user}`)).body.created)
    expect((await api('GET', `${users}/${user}`)).body).toEqual(app)
    expect((await api('GET', users)).list).toEqual([app])
    expect(lines).toEqual([])
  })

  test('is refused with a profile that is no object or too large', async () => {
    const { group, users, user } = await assigned()
    for (const profile of ['x', [1], 7]) {
      const { status, body } = await api('PUT', group, { profile })
      expect([status, body.errorCode]).toEqual([400, 'E0000001'])
    }
    const large = { id: user, profile: { text: 'x'.repeat(60_000) } }
    expect((await api('POST', users, large)).status).toBe(400)
    expect((await api('GET', group)).status).toBe(404)
  })

  test('what else it is sent with is named in the log', async () => {
    const { users, user } = await assigned()
    await api('POST', users, { id: user, scope: 'USER', credentials: { userName: 'm' } })
    expect(lines.map((line) => (JSON.parse(line) as { ignored: string[] }).ignored)).toEqual([
      ['credentials'],
    ])
  })
})

describe('a filter of apps', () => {
  const labels = async (filter: string) => {
    const { status, body, list } = await api('GET', `/apps?${new URLSearchParams({ filter })}`)
    return status === 200 ? list.map(({ label }) => label).toSorted() : [status, body.errorCode]
  }

  test('is by status, id, user and group, and anything else is refused rather than ignored', async () => {
    const { id } = (await api('POST', '/apps', bare)).body
    await api('POST', '/apps?activate=false', { ...bare, label: 'Closed' })
    const group = (await api('POST', '/groups', { profile: { name: 'Staff' } })).body.id
    const user = (
      await api('POST', '/users?activate=false', { profile: { login: 'ada', email: 'ada@example.com' } })
    ).body.id
    await api('PUT', `/apps/${id}/groups/${group}`)
    await api('PUT', `/groups/${group}/users/${user}`)
    expect((await api('GET', `/apps/${id}/groups/${group}`)).body.id).toBe(group)
    expect((await api('GET', `/apps/${idp.clientId}/groups/${group}`)).status).toBe(404)
    expect(await labels('status eq "INACTIVE"')).toEqual(['Closed'])
    expect(await labels('status eq "ACTIVE"')).toContain('Shop')
    expect(await labels(`id eq "${id}"`)).toEqual(['Shop'])
    expect(await labels(`group.id eq "${group}"`)).toEqual(['Shop'])
    expect(await labels(`user.id eq "${user}" and group.id eq "${group}"`)).toEqual(['Shop'])
    expect(await labels(`user.id eq "${user}" or status eq "INACTIVE"`)).toEqual(
      expect.arrayContaining(['Closed', 'Shop']),
    )
    for (const filter of ['colour eq "red"', 'status sw "A"', 'status', 'status eq "ACTIVE" or']) {
      expect(await labels(filter), filter).toEqual([400, 'E0000053'])
    }
  })
})
