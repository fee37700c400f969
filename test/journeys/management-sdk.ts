import type { Kit } from '../../src/testing/index.ts'
import { requireClient } from '../support/clients.ts'
import type { ServiceApp } from '../wire/service-app.ts'

/** What is used of the things that both majors answer with. */
export interface Thing {
  readonly id: string
  readonly status: string
  readonly profile: Readonly<Record<string, string>>
  readonly resetPasswordUrl: string
  readonly credentials: {
    readonly oauthClient: { readonly client_id: string; readonly client_secret: string }
  }
}

/** What sets an org up, whichever major of okta-sdk-nodejs it is done with. */
export interface Office {
  createUser(body: object, query?: { readonly activate: boolean }): Promise<Thing>
  getUser(id: string): Promise<Thing>
  deleteUser(id: string): Promise<unknown>
  /** `activate`, `suspend` and so on. */
  lifecycle(name: Lifecycle, id: string): Promise<unknown>
  resetPassword(id: string): Promise<Thing>
  userIds(query: Readonly<Record<string, unknown>>): Promise<readonly string[]>
  createGroup(name: string): Promise<Thing>
  addToGroup(groupId: string, userId: string): Promise<unknown>
  memberIds(groupId: string): Promise<readonly string[]>
  createApp(body: object): Promise<Thing>
  assignGroup(appId: string, groupId: string): Promise<unknown>
  createPolicy(body: object): Promise<Thing>
  createRule(policyId: string, body: object): Promise<Thing>
  grant(appId: string, scopeId: string): Promise<Thing>
}

const lifecycles = {
  activate: ['activateUser', 'activateUser'],
  suspend: ['suspendUser', 'suspendUser'],
  unsuspend: ['unsuspendUser', 'unsuspendUser'],
  expirePassword: ['expirePassword', 'expirePassword'],
  deactivate: ['deactivateUser', 'deactivateUser'],
} as const
type Lifecycle = keyof typeof lifecycles

export const majors = ['8', '6'] as const
export type Major = (typeof majors)[number]

// Their types are those of another compiler's settings; what is used of them stands here.
type Method = (...given: readonly unknown[]) => Promise<Thing & AsyncIterable<Thing>> & Each
interface Each {
  each(visit: (thing: Thing) => void): Promise<unknown>
}
type Api = Readonly<Record<string, Method>>
type Client8 = Readonly<Record<'userApi' | 'groupApi' | 'applicationApi' | 'policyApi', Api>>

/** An SDK's client for a kit: with the kit's API token, or by the key of a service app with these scopes. */
export function office(
  major: Major,
  idp: Kit,
  service?: { readonly app: ServiceApp; readonly scopes: readonly string[] },
): Office {
  const { Client } = requireClient<{ Client: new (options: object) => unknown }>(
    major === '8' ? '@okta/okta-sdk-nodejs' : 'okta-sdk-nodejs-6',
  )
  const client = new Client({
    orgUrl: idp.engineUrl,
    // It refuses addresses without TLS unless an option allows them.
    testing: { disableHttpsCheck: true },
    ...(service === undefined
      ? { token: idp.apiToken }
      : {
          authorizationMode: 'PrivateKey',
          clientId: service.app.id,
          scopes: service.scopes,
          privateKey: { ...service.app.privateJwk },
        }),
  })
  return major === '8' ? office8(client as Client8, idp) : office6(client as Api, idp)
}

const call = (api: Api, name: string, ...given: readonly unknown[]) => {
  const method = api[name]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.apply(api, [...given])
}

function office8({ userApi, groupApi, applicationApi, policyApi }: Client8, idp: Kit): Office {
  const ids = async (collection: Promise<AsyncIterable<Thing>>) => {
    const found: string[] = []
    for await (const { id } of await collection) found.push(id)
    return found
  }
  return {
    createUser: (body, query) => call(userApi, 'createUser', { body, ...query }),
    getUser: (userId) => call(userApi, 'getUser', { userId }),
    deleteUser: (userId) => call(userApi, 'deleteUser', { userId }),
    lifecycle: (name, userId) => call(userApi, lifecycles[name][0], { userId, sendEmail: false }),
    resetPassword: (userId) => call(userApi, 'generateResetPasswordToken', { userId, sendEmail: false }),
    userIds: (query) => ids(call(userApi, 'listUsers', query)),
    createGroup: (name) =>
      call(groupApi, 'createGroup', { group: { profile: { name } }, addGroupRequest: { profile: { name } } }),
    addToGroup: (groupId, userId) => call(groupApi, 'assignUserToGroup', { groupId, userId }),
    memberIds: (groupId) => ids(call(groupApi, 'listGroupUsers', { groupId })),
    createApp: (application) => call(applicationApi, 'createApplication', { application }),
    assignGroup: (appId, groupId) =>
      call(applicationApi, 'assignGroupToApplication', { appId, groupId, applicationGroupAssignment: {} }),
    createPolicy: (policy) => call(policyApi, 'createPolicy', { policy }),
    createRule: (policyId, policyRule) => call(policyApi, 'createPolicyRule', { policyId, policyRule }),
    grant: (appId, scopeId) =>
      call(applicationApi, 'grantConsentToScope', {
        appId,
        oAuth2ScopeConsentGrant: { issuer: idp.engineUrl, scopeId },
      }),
  }
}

function office6(client: Api, idp: Kit): Office {
  const ids = async (collection: Each) => {
    const found: string[] = []
    await collection.each(({ id }) => void found.push(id))
    return found
  }
  return {
    createUser: (body, query) => call(client, 'createUser', body, query),
    getUser: (id) => call(client, 'getUser', id),
    deleteUser: (id) => call(client, 'deactivateOrDeleteUser', id),
    lifecycle: (name, id) => call(client, lifecycles[name][1], id, { sendEmail: false }),
    resetPassword: (id) => call(client, 'resetPassword', id, { sendEmail: false }),
    userIds: (query) => ids(call(client, 'listUsers', query)),
    createGroup: (name) => call(client, 'createGroup', { profile: { name } }),
    addToGroup: (groupId, userId) => call(client, 'addUserToGroup', groupId, userId),
    memberIds: (groupId) => ids(call(client, 'listGroupUsers', groupId)),
    createApp: (body) => call(client, 'createApplication', body),
    assignGroup: (appId, groupId) => call(client, 'createApplicationGroupAssignment', appId, groupId),
    createPolicy: (body) => call(client, 'createPolicy', body),
    createRule: (policyId, body) => call(client, 'createPolicyRule', policyId, body),
    grant: (appId, scopeId) => call(client, 'grantConsentToScope', appId, { issuer: idp.engineUrl, scopeId }),
  }
}
