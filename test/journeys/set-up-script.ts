import type { Kit } from '../../src/testing/index.ts'
import { requireClient } from '../support/clients.ts'

// What a script that sets an org up calls, through the two majors of okta-sdk-nodejs, unmodified. Their types are those of
// another compiler's settings; what is used of them stands here.

/** A body as it was sent or answered: read only where a test compares it. */
export type Body = Readonly<Record<string, unknown>>
export interface Resource extends Body {
  readonly id: string
  readonly name?: string
  readonly status?: string
}

export interface Org {
  createGroup(name: string): Promise<Resource>
  deleteGroup(id: string): Promise<unknown>
  createUser(body: object): Promise<Resource>
  addToGroup(groupId: string, userId: string): Promise<unknown>
  deactivateUser(id: string): Promise<unknown>
  deleteUser(id: string): Promise<unknown>
  createApp(body: object): Promise<Resource>
  readApp(id: string): Promise<Resource>
  assignGroup(appId: string, groupId: string): Promise<unknown>
  grant(appId: string, body: object): Promise<Resource>
  grants(appId: string): Promise<readonly Resource[]>
  revokeGrant(appId: string, grantId: string): Promise<unknown>
  deactivateApp(id: string): Promise<unknown>
  deleteApp(id: string): Promise<unknown>
  createPolicy(body: object): Promise<Resource>
  deletePolicy(id: string): Promise<unknown>
  rules(policyId: string): Promise<readonly Resource[]>
  createRule(policyId: string, body: object): Promise<Resource>
  replaceRule(policyId: string, rule: Resource): Promise<Resource>
  deleteRule(policyId: string, ruleId: string): Promise<unknown>
  /** Maps a policy to an app: a call that only major 8 has a method for. */
  mapPolicy(appId: string, policyId: string): Promise<unknown>
  createOrigin(body: object): Promise<Resource>
  deleteOrigin(id: string): Promise<unknown>
  /** A call that neither major has a method for, as scripts send it: with the API token of the client. */
  call(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: Body }>
}

export const majors = ['8', '6'] as const
export type Major = (typeof majors)[number]

type Answer = Promise<Resource & AsyncIterable<Resource>> & {
  each(visit: (one: Resource) => void): Promise<unknown>
}
type Api = Readonly<Record<string, (...given: readonly unknown[]) => Answer>>
type Apis = Readonly<
  Record<'userApi' | 'groupApi' | 'applicationApi' | 'policyApi' | 'trustedOriginApi', Api>
>
interface Http {
  readonly http: { http(url: string, request: object): Promise<unknown> }
}

/** A client with the API token of a kit. */
export function org(major: Major, idp: Kit): Org {
  const { Client } = requireClient<{ Client: new (options: object) => unknown }>(
    major === '8' ? '@okta/okta-sdk-nodejs' : 'okta-sdk-nodejs-6',
  )
  // It refuses addresses without TLS unless an option allows them.
  const options = { orgUrl: idp.engineUrl, token: idp.apiToken, testing: { disableHttpsCheck: true } }
  const client = new Client(options)
  return { ...(major === '8' ? org8(client as Apis) : org6(client as Api & Http, idp)), call: call(idp) }
}

/** A method of the SDK: scripts in plain JavaScript get a TypeError where there is none. */
const of = (api: Api, name: string, ...given: readonly unknown[]) => {
  const method = api[name]
  if (method === undefined) throw new TypeError(`the SDK has no ${name}`)
  return method.apply(api, [...given])
}

const call =
  (idp: Kit): Org['call'] =>
  async (method, path, body) => {
    const response = await fetch(new URL(path, idp.engineUrl), {
      method,
      headers: { authorization: `SSWS ${idp.apiToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }

async function collected(collection: Promise<AsyncIterable<Resource>>): Promise<readonly Resource[]> {
  const found: Resource[] = []
  for await (const one of await collection) found.push(one)
  return found
}

function org8({ userApi, groupApi, applicationApi, policyApi, trustedOriginApi }: Apis): Omit<Org, 'call'> {
  return {
    createGroup: (name) =>
      of(groupApi, 'createGroup', { group: { profile: { name } }, addGroupRequest: { profile: { name } } }),
    deleteGroup: (groupId) => of(groupApi, 'deleteGroup', { groupId }),
    createUser: (body) => of(userApi, 'createUser', { body, activate: true }),
    addToGroup: (groupId, userId) => of(groupApi, 'assignUserToGroup', { groupId, userId }),
    deactivateUser: (userId) => of(userApi, 'deactivateUser', { userId, sendEmail: false }),
    deleteUser: (userId) => of(userApi, 'deleteUser', { userId }),
    createApp: (application) => of(applicationApi, 'createApplication', { application }),
    readApp: (appId) => of(applicationApi, 'getApplication', { appId }),
    assignGroup: (appId, groupId) =>
      of(applicationApi, 'assignGroupToApplication', { appId, groupId, applicationGroupAssignment: {} }),
    grant: (appId, oAuth2ScopeConsentGrant) =>
      of(applicationApi, 'grantConsentToScope', { appId, oAuth2ScopeConsentGrant }),
    grants: (appId) => collected(of(applicationApi, 'listScopeConsentGrants', { appId })),
    revokeGrant: (appId, grantId) => of(applicationApi, 'revokeScopeConsentGrant', { appId, grantId }),
    deactivateApp: (appId) => of(applicationApi, 'deactivateApplication', { appId }),
    deleteApp: (appId) => of(applicationApi, 'deleteApplication', { appId }),
    createPolicy: (policy) => of(policyApi, 'createPolicy', { policy }),
    deletePolicy: (policyId) => of(policyApi, 'deletePolicy', { policyId }),
    rules: (policyId) => collected(of(policyApi, 'listPolicyRules', { policyId })),
    createRule: (policyId, policyRule) => of(policyApi, 'createPolicyRule', { policyId, policyRule }),
    replaceRule: (policyId, policyRule) =>
      of(policyApi, 'replacePolicyRule', { policyId, ruleId: policyRule.id, policyRule }),
    deleteRule: (policyId, ruleId) => of(policyApi, 'deletePolicyRule', { policyId, ruleId }),
    mapPolicy: (appId, policyId) => of(applicationApi, 'assignApplicationPolicy', { appId, policyId }),
    createOrigin: (trustedOrigin) => of(trustedOriginApi, 'createTrustedOrigin', { trustedOrigin }),
    deleteOrigin: (trustedOriginId) => of(trustedOriginApi, 'deleteTrustedOrigin', { trustedOriginId }),
  }
}

function org6(client: Api & Http, idp: Kit): Omit<Org, 'call'> {
  async function visited(collection: Answer): Promise<readonly Resource[]> {
    const found: Resource[] = []
    await collection.each((one) => void found.push(one))
    return found
  }
  return {
    createGroup: (name) => of(client, 'createGroup', { profile: { name } }),
    deleteGroup: (id) => of(client, 'deleteGroup', id),
    createUser: (body) => of(client, 'createUser', body, { activate: true }),
    addToGroup: (groupId, userId) => of(client, 'addUserToGroup', groupId, userId),
    deactivateUser: (id) => of(client, 'deactivateUser', id, { sendEmail: false }),
    deleteUser: (id) => of(client, 'deactivateOrDeleteUser', id),
    createApp: (body) => of(client, 'createApplication', body),
    readApp: (id) => of(client, 'getApplication', id),
    assignGroup: (appId, groupId) => of(client, 'createApplicationGroupAssignment', appId, groupId),
    grant: (appId, body) => of(client, 'grantConsentToScope', appId, body),
    grants: (appId) => visited(of(client, 'listScopeConsentGrants', appId)),
    revokeGrant: (appId, grantId) => of(client, 'revokeScopeConsentGrant', appId, grantId),
    deactivateApp: (id) => of(client, 'deactivateApplication', id),
    deleteApp: (id) => of(client, 'deleteApplication', id),
    createPolicy: (body) => of(client, 'createPolicy', body),
    deletePolicy: (id) => of(client, 'deletePolicy', id),
    rules: (policyId) => visited(of(client, 'listPolicyRules', policyId)),
    createRule: (policyId, body) => of(client, 'createPolicyRule', policyId, body),
    replaceRule: (policyId, rule) => of(client, 'updatePolicyRule', policyId, rule.id, rule),
    deleteRule: (policyId, ruleId) => of(client, 'deletePolicyRule', policyId, ruleId),
    mapPolicy: (appId, policyId) =>
      client.http.http(`${idp.engineUrl}/api/v1/apps/${appId}/policies/${policyId}`, { method: 'put' }),
    createOrigin: (body) => of(client, 'createOrigin', body),
    deleteOrigin: (id) => of(client, 'deleteOrigin', id),
  }
}

/** Merges into what was read, as scripts do before they put it back: objects by their members, arrays one behind the other. */
export function merge(read: Record<string, unknown>, more: Body): void {
  for (const [name, value] of Object.entries(more)) {
    const own = read[name]
    if (Array.isArray(own) && Array.isArray(value)) read[name] = [...own, ...value]
    else if (isObject(own) && isObject(value)) merge(own, value)
    else read[name] = value
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is sent of a model of an SDK: its members without its methods. */
export const plain = (model: unknown): Body & { readonly settings: { readonly oauthClient: Body } } =>
  JSON.parse(JSON.stringify(model))
