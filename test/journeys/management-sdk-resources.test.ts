import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { hasClients, requireClient } from '../support/clients.ts'
import { sdk } from '../support/sdk.ts'

// Its types are those of another compiler's settings; what is used of them stands here.
type Package = { readonly Client: new (options: object) => Client8 }
interface Thing {
  readonly id: string
  readonly name: string
  readonly key: string
  readonly label: string
  readonly status: string
  readonly issuer: string
  readonly clientSecret: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly profile: Readonly<Record<string, unknown>>
  readonly definitions: {
    readonly custom: { readonly properties: Readonly<Record<string, { type: string }>> }
  }
  readonly credentials: { readonly recovery_question: { readonly question: string } }
  readonly recovery_question: { readonly question: string }
}
type Api = Readonly<Record<string, (request?: object) => Promise<Thing & AsyncIterable<Thing>>>>
type Client8 = Readonly<
  Record<
    | 'applicationApi'
    | 'applicationSSOPublicKeysApi'
    | 'authenticatorApi'
    | 'authorizationServerApi'
    | 'policyApi'
    | 'schemaApi'
    | 'userApi'
    | 'userTypeApi',
    Api
  >
>

let idp: Kit
let okta: Client8
beforeAll(async () => {
  idp = await startEngine()
  const { Client } = requireClient<Package>('@okta/okta-sdk-nodejs')
  okta = new Client({
    orgUrl: idp.engineUrl,
    token: idp.apiToken,
    testing: { disableHttpsCheck: true },
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const call = async (api: Api, name: string, request?: object) => {
  const method = api[name]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.call(api, request)
}
const all = async (api: Api, name: string, request?: object) => {
  const found: Thing[] = []
  for await (const thing of await call(api, name, request)) found.push(thing)
  return found
}
const mary = async () => (await call(okta.userApi, 'getUser', { userId: idp.person.login })).id
const signIn = () => sdk(idp).idx.authenticate({ username: idp.person.login, password: idp.person.password })

describe.skipIf(!hasClients)('through okta-sdk-nodejs 8', () => {
  test('an app gets a policy of its own, which okta-auth-js feels at once', async () => {
    const policy = await call(okta.policyApi, 'createPolicy', {
      policy: { type: 'ACCESS_POLICY', name: 'Shop' },
    })
    const [catchAll] = await all(okta.policyApi, 'listPolicyRules', { policyId: policy.id })
    expect(catchAll?.name).toBe('Catch-all Rule')
    const rule = (factorMode: string, access = 'ALLOW') => ({
      name: 'Everybody',
      type: 'ACCESS_POLICY',
      actions: { appSignOn: { access, verificationMethod: { type: 'ASSURANCE', factorMode } } },
    })
    const made = await call(okta.policyApi, 'createPolicyRule', {
      policyId: policy.id,
      policyRule: rule('2FA'),
    })
    await call(okta.applicationApi, 'assignApplicationPolicy', { appId: idp.clientId, policyId: policy.id })
    expect((await signIn()).nextStep?.name).toBe('select-authenticator-authenticate')

    const ids = { policyId: policy.id, ruleId: made.id }
    await call(okta.policyApi, 'replacePolicyRule', { ...ids, policyRule: rule('1FA', 'DENY') })
    const denied = await signIn()
    expect([denied.status, denied.messages?.[0]?.i18n.key]).toEqual(['TERMINAL', 'security.access_denied'])
    await call(okta.policyApi, 'replacePolicyRule', { ...ids, policyRule: rule('1FA') })
    expect((await signIn()).status).toBe('SUCCESS')
  })

  test('a secret is rotated', async () => {
    const { applicationSSOPublicKeysApi: keys } = okta
    const app = { appId: idp.clientId }
    const [old] = await all(keys, 'listOAuth2ClientSecrets', app)
    const made = await call(keys, 'createOAuth2ClientSecret', app)
    expect(made.clientSecret ?? (made as unknown as Record<string, unknown>).client_secret).toMatch(
      /^\w{43}$/,
    )
    const which = { ...app, secretId: old?.id }
    expect((await call(keys, 'deactivateOAuth2ClientSecret', which)).status).toBe('INACTIVE')
    await call(keys, 'deleteOAuth2ClientSecret', which)
    expect((await all(keys, 'listOAuth2ClientSecrets', app)).map(({ id }) => id)).toEqual([made.id])
  })

  test('attributes of the owner are defined, written and found', async () => {
    const userSchema = {
      definitions: {
        custom: { id: '#custom', type: 'object', properties: { team: { title: 'Team', type: 'string' } } },
      },
    }
    await call(okta.schemaApi, 'updateUserProfile', { schemaId: 'default', userSchema })
    const schema = await call(okta.schemaApi, 'getUserSchema', { schemaId: 'default' })
    expect(schema.definitions.custom.properties.team?.type).toBe('string')
    const [type] = await all(okta.userTypeApi, 'listUserTypes')
    expect(type?.name).toBe('user')

    const userId = await mary()
    await call(okta.userApi, 'updateUser', { userId, user: { profile: { team: 'Engines' } } })
    const found = await all(okta.userApi, 'listUsers', { search: 'profile.team eq "Engines"' })
    expect(found.map(({ id }) => id)).toEqual([userId])
    const wrong = call(okta.userApi, 'updateUser', { userId, user: { profile: { team: 7 } } })
    await expect(wrong).rejects.toThrow('team')
  })

  test('authenticators are listed and set up', async () => {
    const authenticators = await all(okta.authenticatorApi, 'listAuthenticators')
    expect(authenticators.map(({ key }) => key)).toEqual([
      'okta_email',
      'google_otp',
      'okta_verify',
      'okta_password',
      'phone_number',
      'recovery_codes',
      'webauthn',
      'security_question',
    ])
    const [email] = authenticators
    const changed = await call(okta.authenticatorApi, 'replaceAuthenticator', {
      authenticatorId: email?.id,
      authenticator: { ...email, settings: { allowedFor: 'any', tokenLifetimeInMinutes: 10 } },
    })
    expect(changed.settings).toEqual({ allowedFor: 'any', tokenLifetimeInMinutes: 10 })
    const refused = call(okta.authenticatorApi, 'deactivateAuthenticator', { authenticatorId: email?.id })
    await expect(refused).rejects.toThrow('E0000148')
  })

  test('a recovery question is set, and apps and the authorization server are looked up', async () => {
    const userId = await mary()
    const question = { question: 'Where did the kettle come from?', answer: 'Grandma' }
    const set = await call(okta.userApi, 'changeRecoveryQuestion', {
      userId,
      userCredentials: { password: { value: idp.person.password }, recovery_question: question },
    })
    expect(set.recovery_question.question).toBe(question.question)
    expect((await all(okta.userApi, 'listAppLinks', { userId })).map(({ id }) => id)).toContain(idp.clientId)

    const servers = okta.authorizationServerApi
    expect((await all(servers, 'listAuthorizationServers')).map(({ issuer }) => issuer)).toEqual([idp.issuer])
    const scopes = await all(servers, 'listOAuth2Scopes', { authServerId: 'default' })
    expect(scopes.map(({ name }) => name)).toContain('offline_access')
  })
})
