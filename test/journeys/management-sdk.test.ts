import { createRequire } from 'node:module'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { sdk } from '../support/sdk.ts'

// Its types are those of another compiler's settings; what is used of them stands here.
const { Client } = createRequire(import.meta.url)('@okta/okta-sdk-nodejs') as {
  Client: new (options: { orgUrl: string; token: string }) => OktaClient
}

type Api = Record<string, (request: object) => Promise<Thing & AsyncIterable<Thing>>>
interface Thing {
  readonly id: string
  readonly status: string
  readonly label: string
  readonly profile: Record<string, string>
  readonly resetPasswordUrl: string
  readonly credentials: {
    readonly oauthClient: { readonly client_id: string; readonly client_secret: string }
  }
}
interface OktaClient {
  readonly userApi: Api
  readonly groupApi: Api
  readonly applicationApi: Api
  readonly policyApi: Api
  readonly trustedOriginApi: Api
}

let idp: Kit
let client: OktaClient

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(async () => {
  await idp.reset()
  // It refuses addresses without TLS unless it is told that they are meant.
  client = new Client({
    orgUrl: idp.engineUrl,
    token: idp.apiToken,
    testing: { disableHttpsCheck: true },
  } as never)
})
afterAll(() => idp.close())

const call = (api: Api, name: string, request: object = {}) => {
  const method = api[name]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.call(api, request)
}
const ids = async (collection: Promise<AsyncIterable<Thing>>) => {
  const found: string[] = []
  for await (const { id } of await collection) found.push(id)
  return found
}

test('everything is set up through okta-sdk-nodejs 8, and then a person recovers and signs in', async () => {
  const { userApi, groupApi, applicationApi, policyApi } = client
  const body = {
    profile: { login: 'ada@example.com', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' },
    credentials: { password: { value: 'Lighthouse-Biscuit-77' } },
  }
  const ada = await call(userApi, 'createUser', { body, activate: true })
  expect([ada.status, ada.profile.firstName]).toEqual(['ACTIVE', 'Ada'])
  const staff = await call(groupApi, 'createGroup', {
    group: { profile: { name: 'Staff' } },
    addGroupRequest: { profile: { name: 'Staff' } },
  })
  await call(groupApi, 'assignUserToGroup', { groupId: staff.id, userId: ada.id })
  expect(await ids(call(groupApi, 'listGroupUsers', { groupId: staff.id }))).toEqual([ada.id])
  const app = await call(applicationApi, 'createApplication', {
    application: {
      name: 'oidc_client',
      label: 'Shop',
      signOnMode: 'OPENID_CONNECT',
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_post' } },
      settings: {
        oauthClient: {
          redirect_uris: [idp.redirectUri],
          response_types: ['code'],
          grant_types: ['interaction_code', 'refresh_token'],
          application_type: 'web',
        },
      },
    },
  })
  await call(applicationApi, 'assignGroupToApplication', {
    appId: app.id,
    groupId: staff.id,
    applicationGroupAssignment: {},
  })
  const policy = await call(policyApi, 'createPolicy', {
    policy: {
      type: 'PASSWORD',
      name: 'Staff',
      conditions: { people: { groups: { include: [staff.id] } } },
      settings: {
        password: {
          complexity: { minLength: 20, minLowerCase: 0, minUpperCase: 0, minNumber: 0, minSymbol: 0 },
        },
      },
    },
  })
  const actions = {
    selfServicePasswordReset: {
      access: 'ALLOW',
      requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
    },
  }
  await call(policyApi, 'createPolicyRule', {
    policyId: policy.id,
    policyRule: { type: 'PASSWORD', name: 'By mail', actions },
  })

  const { client_id: clientId, client_secret: clientSecret } = app.credentials.oauthClient
  const shop = () => sdk({ ...idp, clientId, clientSecret })
  const auth = shop()
  await auth.idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: 'ada@example.com' })
  await auth.idx.proceed({ verificationCode: mail.code ?? '' })
  const short = await auth.idx.proceed({ password: 'Umbrella-Rocket-31' })
  expect(short).toMatchObject({ status: 'PENDING', nextStep: { name: 'reset-authenticator' } })
  const password = 'Umbrella-Rocket-of-the-31st'
  expect((await auth.idx.proceed({ password })).status).toBe('SUCCESS')
  expect((await shop().idx.authenticate({ username: 'ada@example.com', password })).status).toBe('SUCCESS')
})

test('an administrator starts a recovery through it, and the person ends it', async () => {
  const { userApi } = client
  const mary = await call(userApi, 'getUser', { userId: idp.person.login })
  const { resetPasswordUrl } = await call(userApi, 'generateResetPasswordToken', {
    userId: mary.id,
    sendEmail: false,
  })
  expect((await call(userApi, 'getUser', { userId: mary.id })).status).toBe('RECOVERY')

  const auth = sdk(idp)
  await auth.idx.recoverPassword({ recoveryToken: resetPasswordUrl.split('/').at(-1) ?? '' })
  expect((await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })).status).toBe('SUCCESS')
})

test('its lists go through all pages, its searches find, and its errors are those of the field', async () => {
  const { userApi } = client
  for (let n = 0; n < 7; n++) await idp.people.add({ login: `p${n}@example.com`, firstName: `Name${n}` })
  expect(await ids(call(userApi, 'listUsers', { limit: 3 }))).toHaveLength(8)
  expect(
    await ids(call(userApi, 'listUsers', { search: 'profile.firstName sw "name"', limit: 2 })),
  ).toHaveLength(7)

  await expect(call(userApi, 'getUser', { userId: 'nobody@example.com' })).rejects.toMatchObject({
    status: 404,
    errorCode: 'E0000007',
  })
  const body = { profile: { login: idp.person.login, email: 'new@example.com' } }
  await expect(call(userApi, 'createUser', { body })).rejects.toMatchObject({
    errorCode: 'E0000001',
    errorCauses: [
      { errorSummary: 'login: An object with this field already exists in the current organization' },
    ],
  })
})

test('a person goes through her lifecycle by it', async () => {
  const { userApi } = client
  const profile = { login: 'ada@example.com', email: 'ada@example.com' }
  const { id } = await call(userApi, 'createUser', {
    body: { profile, credentials: { password: { value: 'Lighthouse-Biscuit-77' } } },
    activate: false,
  })
  const status = async () => (await call(userApi, 'getUser', { userId: id })).status
  const steps: readonly (readonly [string, string])[] = [
    ['activateUser', 'ACTIVE'],
    ['suspendUser', 'SUSPENDED'],
    ['unsuspendUser', 'ACTIVE'],
    ['expirePassword', 'PASSWORD_EXPIRED'],
    ['deactivateUser', 'DEPROVISIONED'],
  ]
  for (const [name, reached] of steps) {
    await call(userApi, name, { userId: id, sendEmail: false })
    expect(await status()).toBe(reached)
  }
  await call(userApi, 'deleteUser', { userId: id })
  await expect(status()).rejects.toMatchObject({ status: 404 })
})
