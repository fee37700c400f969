import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients } from '../support/clients.ts'
import { sdk } from '../support/sdk.ts'
import { type Body, majors, merge, type Org, org, plain, type Resource } from './set-up-script.ts'

// A script that sets an org up, as those of Okta's samples do, and takes all of it away again: each call in its order.

const password = 'Lighthouse-Biscuit-77'
const redirectUri = 'http://localhost:8080/login/callback'

/** C1: what nearly every set-up script of a sample sends. */
const appBody = {
  name: 'oidc_client',
  label: 'Sample',
  signOnMode: 'OPENID_CONNECT',
  credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic', autoKeyRotation: true } },
  settings: {
    oauthClient: {
      application_type: 'web',
      client_uri: 'http://localhost:8080',
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: ['http://localhost:8080'],
      initiate_login_uri: 'http://localhost:8080/login',
      response_types: ['token', 'id_token', 'code'],
      grant_types: ['implicit', 'authorization_code', 'interaction_code', 'refresh_token'],
      consent_method: 'REQUIRED',
      issuer_mode: 'ORG_URL',
    },
  },
}

/** C2: scopes of the user's own account. */
const scopes = [
  'okta.myAccount.profile.read',
  'okta.myAccount.profile.manage',
  'okta.myAccount.email.read',
  'okta.myAccount.email.manage',
  'okta.myAccount.phone.read',
  'okta.myAccount.phone.manage',
  'okta.myAccount.authenticators.read',
]

interface PolicyCase {
  readonly type: string
  readonly settings?: object
  readonly rule: { readonly type: string; readonly actions: Body; readonly conditions?: object }
}

const policies: readonly PolicyCase[] = [
  {
    type: 'OKTA_SIGN_ON',
    rule: {
      type: 'SIGN_ON',
      conditions: { network: { connection: 'ANYWHERE' }, authContext: { authType: 'ANY' } },
      actions: {
        signon: { access: 'ALLOW', requireFactor: false, primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' },
      },
    },
  },
  {
    type: 'ACCESS_POLICY',
    rule: {
      type: 'ACCESS_POLICY',
      actions: {
        appSignOn: {
          access: 'ALLOW',
          verificationMethod: {
            type: 'ASSURANCE',
            factorMode: '1FA',
            reauthenticateIn: 'PT2H',
            constraints: [{ knowledge: { types: ['password'] } }],
          },
        },
      },
    },
  },
  {
    type: 'PASSWORD',
    settings: {
      password: {
        complexity: { minLength: 12 },
        recovery: { factors: { okta_email: { status: 'ACTIVE' } } },
      },
    },
    rule: {
      type: 'PASSWORD',
      conditions: { network: { connection: 'ANYWHERE' } },
      actions: {
        passwordChange: { access: 'ALLOW' },
        selfServicePasswordReset: {
          access: 'ALLOW',
          requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
        },
        selfServiceUnlock: { access: 'DENY' },
      },
    },
  },
  {
    type: 'MFA_ENROLL',
    settings: {
      type: 'AUTHENTICATORS',
      authenticators: [
        { key: 'okta_password', enroll: { self: 'REQUIRED' } },
        { key: 'okta_email', enroll: { self: 'OPTIONAL' } },
      ],
    },
    rule: {
      type: 'MFA_ENROLL',
      conditions: { network: { connection: 'ANYWHERE' } },
      actions: { enroll: { self: 'CHALLENGE' } },
    },
  },
  {
    type: 'PROFILE_ENROLLMENT',
    rule: {
      type: 'PROFILE_ENROLLMENT',
      actions: {
        profileEnrollment: { profileAttributes: [{ name: 'nickName', label: 'Nickname', required: false }] },
      },
    },
  },
]

describe.skipIf(!hasClients).each(majors)('a set-up script with okta-sdk-nodejs %s', (major) => {
  let idp: Kit
  let it: Org
  let group: Resource
  let user: Resource
  let app: Resource
  let origin: Resource
  const made = new Map<string, Resource>()
  const idOf = (type: string) => made.get(type)?.id ?? ''
  beforeAll(async () => {
    idp = await startEngine()
    it = org(major, idp)
  })
  afterAll(() => idp.close())

  test('a group and a user in it', async () => {
    group = await it.createGroup('Sample users')
    const profile = {
      login: 'ada@example.com',
      email: 'ada@example.com',
      firstName: 'Ada',
      lastName: 'Lovelace',
    }
    user = await it.createUser({ profile, credentials: { password: { value: password } } })
    await it.addToGroup(group.id, user.id)
    expect(user.status).toBe('ACTIVE')
  })

  test('C1: an app at which the group is, whose settings are read as they were written', async () => {
    app = await it.createApp(appBody)
    await it.assignGroup(app.id, group.id)
    const sent = appBody.settings.oauthClient
    const { settings } = plain(await it.readApp(app.id))
    expect(settings.oauthClient).toMatchObject(sent)
  })

  test('C2: grants of scopes of the user’s own account', async () => {
    for (const scopeId of scopes) await it.grant(app.id, { issuer: idp.engineUrl, scopeId })
    const granted = await it.grants(app.id)
    expect(granted.map(({ scopeId }) => scopeId).toSorted()).toEqual(scopes.toSorted())
  })

  test.each(policies)('a policy of the type $type', async ({ type, settings }) => {
    const isByGroup = ['OKTA_SIGN_ON', 'PASSWORD', 'MFA_ENROLL'].includes(type)
    const policy = await it.createPolicy({
      type,
      name: `Sample ${type}`,
      status: 'ACTIVE',
      description: 'made by a script',
      ...(isByGroup && { conditions: { people: { groups: { include: [group.id] } } } }),
      ...(settings !== undefined && { settings }),
    })
    expect(policy.status).toBe('ACTIVE')
    made.set(type, policy)
  })

  test('C5: the rule of a new PROFILE_ENROLLMENT policy has all that scripts merge into', async () => {
    const [rule] = await it.rules(idOf('PROFILE_ENROLLMENT'))
    const { profileEnrollment } = (rule?.actions ?? {}) as { readonly profileEnrollment?: Body }
    expect(profileEnrollment).toMatchObject({
      access: 'ALLOW',
      activationRequirements: { emailVerification: expect.any(Boolean) },
      unknownUserAction: expect.any(String),
      profileAttributes: ['email', 'firstName', 'lastName'].map((name) =>
        expect.objectContaining({ name, label: expect.any(String), required: true }),
      ),
    })
  })

  test.each(policies)(
    'a rule of the $type policy, merged into the one that came with it',
    async ({ type, rule }) => {
      const policyId = idOf(type)
      const [first] = await it.rules(policyId)
      if (first === undefined) {
        const created = await it.createRule(policyId, { name: `Sample ${type}`, ...rule })
        expect(created.actions).toMatchObject(rule.actions)
        return
      }
      merge(first as unknown as Record<string, unknown>, { actions: rule.actions })
      const written = plain(first).actions
      await it.replaceRule(policyId, first)
      const [again] = await it.rules(policyId)
      expect(plain(again).actions).toEqual(written)
    },
  )

  test.each(['ACCESS_POLICY', 'PROFILE_ENROLLMENT'])(
    'C6: the %s policy is mapped to the app',
    async (type) => {
      await it.mapPolicy(app.id, idOf(type))
      const { body } = await it.call('GET', `/api/v1/policies/${idOf(type)}/app`)
      expect(body).toEqual([expect.objectContaining({ id: app.id })])
    },
  )

  test.each(['MFA_ENROLL', 'PASSWORD'])('C6: the %s policy is not: it applies by group', async (type) => {
    await expect(it.mapPolicy(app.id, idOf(type))).rejects.toMatchObject({ status: 400 })
  })

  test('C7: the console’s call for the target of magic links', async () => {
    const { settings } = plain(await it.readApp(app.id))
    const link = 'http://localhost:8080/link'
    const { status } = await it.call('POST', `/api/v1/internal/apps/${app.id}/settings/oidc`, {
      ...settings.oauthClient,
      email_magic_link_redirect_uri: link,
      label: 'Sample',
    })
    expect(status).toBe(200)
    const { body } = await it.call('GET', `/api/v1/apps/${app.id}`)
    expect(body).toMatchObject({ settings: { oauthClient: { email_magic_link_redirect_uri: link } } })
  })

  test('a trusted origin', async () => {
    origin = await it.createOrigin({
      name: 'Sample',
      origin: 'http://localhost:8080',
      scopes: [{ type: 'CORS' }, { type: 'REDIRECT' }],
    })
    expect(origin.status).toBe('ACTIVE')
  })

  test('the user signs in to the app, recovers the password, and gets a granted scope', async () => {
    const { credentials } = app as Body as {
      readonly credentials: { readonly oauthClient: Record<string, string> }
    }
    const { client_id: clientId = '', client_secret: clientSecret = '' } = credentials.oauthClient
    const target = { ...idp, clientId, clientSecret, redirectUri }
    const signedIn = await sdk(target).idx.authenticate({ username: 'ada@example.com', password })
    expect(signedIn.status).toBe('SUCCESS')

    const auth = sdk(target)
    await auth.idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
    const mail = await idp.outbox.waitFor({ to: 'ada@example.com' })
    await auth.idx.proceed({ verificationCode: mail.code ?? '' })
    const next = 'Umbrella-Rocket-31-Comet'
    expect((await auth.idx.proceed({ password: next })).status).toBe('SUCCESS')

    const [scope = ''] = scopes
    const own = sdk(target, { issuer: idp.orgIssuer, scopes: ['openid', scope] })
    const { status, tokens } = await own.idx.authenticate({ username: 'ada@example.com', password: next })
    expect([status, tokens?.accessToken?.scopes]).toEqual(['SUCCESS', expect.arrayContaining([scope])])
  })

  test('all of it is deleted again', async () => {
    for (const { id } of await it.grants(app.id)) await it.revokeGrant(app.id, id)
    expect(await it.grants(app.id)).toEqual([])
    await it.deactivateUser(user.id)
    await it.deleteUser(user.id)
    await it.deactivateApp(app.id)
    await it.deleteApp(app.id)
    for (const { id } of made.values()) {
      for (const rule of await it.rules(id)) {
        if (rule.system !== true) await it.deleteRule(id, rule.id)
      }
      await it.deletePolicy(id)
    }
    await it.deleteOrigin(origin.id)
    await it.deleteGroup(group.id)

    const paths = [
      `/users/${user.id}`,
      `/apps/${app.id}`,
      ...[...made.values()].map(({ id }) => `/policies/${id}`),
      `/trustedOrigins/${origin.id}`,
      `/groups/${group.id}`,
    ]
    for (const path of paths) expect((await it.call('GET', `/api/v1${path}`)).status, path).toBe(404)
  })
})
