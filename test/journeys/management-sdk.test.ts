import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import { sdk } from '../support/sdk.ts'
import { keyPair, serviceApp, serviceBody } from '../wire/service-app.ts'
import { majors, type Office, office } from './management-sdk.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const password = 'Lighthouse-Biscuit-77'
const ada = {
  profile: { login: 'ada@example.com', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' },
  credentials: { password: { value: password } },
}

const setUpScopes = ['okta.users.manage', 'okta.groups.manage', 'okta.apps.manage', 'okta.policies.manage']
const byKey = async (major: (typeof majors)[number]) =>
  office(major, idp, { app: await serviceApp(idp, setUpScopes), scopes: setUpScopes })

const ways = majors.flatMap((major) => [
  { how: `okta-sdk-nodejs ${major} with an API token`, made: async () => office(major, idp) },
  { how: `okta-sdk-nodejs ${major} with a private key`, made: () => byKey(major) },
])

describe.skipIf(!hasClients).each(ways)('through $how', ({ made }) => {
  let it: Office
  beforeEach(async () => {
    it = await made()
  })

  test('everything is set up, and then a person recovers and signs in', async () => {
    const created = await it.createUser(ada, { activate: true })
    expect([created.status, created.profile.firstName]).toEqual(['ACTIVE', 'Ada'])
    const staff = await it.createGroup('Staff')
    await it.addToGroup(staff.id, created.id)
    expect(await it.memberIds(staff.id)).toEqual([created.id])
    // What set-up scripts send, of which the engine serves a part (C1).
    const oauthClient = {
      application_type: 'web',
      redirect_uris: [idp.redirectUri],
      response_types: ['token', 'id_token', 'code'],
      grant_types: ['implicit', 'authorization_code', 'interaction_code', 'refresh_token'],
      consent_method: 'REQUIRED',
      issuer_mode: 'DYNAMIC',
      client_uri: 'https://shop.example.com',
      initiate_login_uri: 'https://shop.example.com/login',
    }
    const app = await it.createApp({
      name: 'oidc_client',
      label: 'Shop',
      signOnMode: 'OPENID_CONNECT',
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic' } },
      settings: { oauthClient },
    })
    expect(app.credentials.oauthClient).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic' })
    const { body: stored } = await apiOf(idp)('GET', `/apps/${app.id}`)
    expect(stored.settings).toMatchObject({ oauthClient })
    expect(JSON.parse(JSON.stringify(app))).toMatchObject({ settings: { oauthClient } })
    await it.assignGroup(app.id, staff.id)
    const policy = await it.createPolicy({
      type: 'PASSWORD',
      name: 'Staff',
      conditions: { people: { groups: { include: [staff.id] } } },
      settings: {
        password: {
          complexity: { minLength: 20, minLowerCase: 0, minUpperCase: 0, minNumber: 0, minSymbol: 0 },
        },
      },
    })
    const actions = {
      selfServicePasswordReset: {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
      },
    }
    await it.createRule(policy.id, { type: 'PASSWORD', name: 'By mail', actions })

    const { client_id: clientId, client_secret: clientSecret } = app.credentials.oauthClient
    const shop = () => sdk({ ...idp, clientId, clientSecret })
    const auth = shop()
    await auth.idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
    const mail = await idp.outbox.waitFor({ to: 'ada@example.com' })
    await auth.idx.proceed({ verificationCode: mail.code ?? '' })
    const short = await auth.idx.proceed({ password: 'Umbrella-Rocket-31' })
    expect(short).toMatchObject({ status: 'PENDING', nextStep: { name: 'reset-authenticator' } })
    const long = 'Umbrella-Rocket-of-the-31st'
    expect((await auth.idx.proceed({ password: long })).status).toBe('SUCCESS')
    const signedIn = await shop().idx.authenticate({ username: 'ada@example.com', password: long })
    expect(signedIn.status).toBe('SUCCESS')
  })

  test('an administrator starts a recovery, and the person ends it', async () => {
    const mary = await it.getUser(idp.person.login)
    const { resetPasswordUrl } = await it.resetPassword(mary.id)
    expect((await (await made()).getUser(mary.id)).status).toBe('RECOVERY')

    const auth = sdk(idp)
    await auth.idx.recoverPassword({ recoveryToken: resetPasswordUrl.split('/').at(-1) ?? '' })
    expect((await auth.idx.proceed({ password })).status).toBe('SUCCESS')
  })

  test('lists go through all pages, searches find, and errors are those of the field', async () => {
    for (let n = 0; n < 7; n++) await idp.people.add({ login: `p${n}@example.com`, firstName: `Name${n}` })
    expect(await it.userIds({ limit: 3 })).toHaveLength(8)
    expect(await it.userIds({ search: 'profile.firstName sw "name"', limit: 2 })).toHaveLength(7)

    await expect(it.getUser('nobody@example.com')).rejects.toMatchObject({
      status: 404,
      errorCode: 'E0000007',
    })
    const body = { profile: { login: idp.person.login, email: 'new@example.com' } }
    await expect(it.createUser(body)).rejects.toMatchObject({
      errorCode: 'E0000001',
      errorCauses: [
        { errorSummary: 'login: An object with this field already exists in the current organization' },
      ],
    })
  })

  test('a person goes through her lifecycle', async () => {
    const { id } = await it.createUser(ada, { activate: false })
    const steps = [
      ['activate', 'ACTIVE'],
      ['suspend', 'SUSPENDED'],
      ['unsuspend', 'ACTIVE'],
      ['expirePassword', 'PASSWORD_EXPIRED'],
      ['deactivate', 'DEPROVISIONED'],
    ] as const
    for (const [name, reached] of steps) {
      await it.lifecycle(name, id)
      // A client of its own: major 6 keeps what it has read.
      expect((await office('8', idp).getUser(id)).status).toBe(reached)
    }
    await it.deleteUser(id)
    await expect(office('8', idp).getUser(id)).rejects.toMatchObject({ status: 404 })
  })
})

describe.skipIf(!hasClients).each(majors)('through okta-sdk-nodejs %s', (major) => {
  test('a service app is registered, granted a scope, and does by its key what the scope allows', async () => {
    const { privateJwk, publicJwk } = await keyPair()
    const owner = office(major, idp)
    const { id } = await owner.createApp(serviceBody([publicJwk]))
    await owner.grant(id, 'okta.users.read')
    const robot = (scopes: readonly string[]) =>
      office(major, idp, { app: { id, privateJwk } as never, scopes })

    expect(await robot(['okta.users.read']).userIds({})).toHaveLength(1)
    await expect(robot(['okta.users.read']).createGroup('Staff')).rejects.toMatchObject({
      status: 403,
      errorCode: 'E0000006',
    })
    // Major 8 goes on without the token that it was refused.
    const refused = { status: major === '8' ? 401 : 400 }
    await expect(robot(['okta.groups.manage']).createGroup('Staff')).rejects.toMatchObject(refused)
    expect(await idp.engine.storage.db.selectFrom('groups').select('name').execute()).toHaveLength(1)
  })
})
