/**
 * The authorization server `default` over HTTP, after Okta's Authorization Servers API: tools look up its issuer, scopes
 * and claims. Read-only: it is defined by the configuration.
 */
import { derivedId, isoTime } from '../../base/index.ts'
import { findUserSchema, visibleAttributes } from '../../directory/index.ts'
import { notFound } from '../errors.ts'
import { pageWithin } from '../input.ts'
import { type Answer, type Call, type Operation, prefix, type ServerFacts } from '../operation.ts'
import { rawPageOf as pageOf } from '../reader.ts'

const id = 'default'

/** A stable id: nothing of the server is stored. */
const idFrom = (prefix: string, name: string): string => derivedId(prefix, `authorization server ${name}`)

function factsIn({ parts, params }: Call): ServerFacts {
  const asked = params.authServerId ?? ''
  const facts = parts.authorizationServer?.()
  if (asked !== id || facts === undefined) throw notFound(asked, 'AuthorizationServer')
  return facts
}

const selfOf = ({ parts }: Call): string => `${parts.baseUrl()}${prefix}/authorizationServers/${id}`
const timestamps = { created: isoTime(0), lastUpdated: isoTime(0) }

function serverOf(call: Call, { issuer, audience }: ServerFacts): object {
  const self = selfOf(call)
  const link = (name: string) => ({ href: `${self}/${name}`, hints: { allow: ['GET'] } })
  return {
    id,
    name: id,
    description: 'The authorization server of this engine',
    audiences: [audience],
    issuer,
    issuerMode: 'ORG_URL',
    status: 'ACTIVE',
    default: true,
    ...timestamps,
    credentials: { signing: { rotationMode: 'MANUAL', use: 'sig' } },
    _links: {
      self: { href: self, hints: { allow: ['GET'] } },
      scopes: link('scopes'),
      claims: link('claims'),
      policies: link('policies'),
      metadata: [{ name: 'openid-configuration', href: `${issuer}/.well-known/openid-configuration` }],
    },
  }
}

type ServerItem = Readonly<Record<string, unknown>> & { readonly id: string }

function policyOf(call: Call): ServerItem {
  const policyId = idFrom('00p', 'policy')
  const self = `${selfOf(call)}/policies/${policyId}`
  return {
    id: policyId,
    type: 'OAUTH_AUTHORIZATION_POLICY',
    name: 'Default Policy',
    description: 'All clients',
    priority: 1,
    status: 'ACTIVE',
    system: true,
    conditions: { clients: { include: ['ALL_CLIENTS'] } },
    ...timestamps,
    _links: { self: { href: self }, rules: { href: `${self}/rules` } },
  }
}

function ruleOf(call: Call, { grantTypes, lifetimes }: ServerFacts): ServerItem {
  const ruleId = idFrom('0pr', 'rule')
  const minutes = (ms: number) => Math.round(ms / 60_000)
  return {
    id: ruleId,
    type: 'RESOURCE_ACCESS',
    name: 'Default Policy Rule',
    priority: 1,
    status: 'ACTIVE',
    system: true,
    conditions: {
      people: { users: { include: [], exclude: [] }, groups: { include: ['EVERYONE'], exclude: [] } },
      grantTypes: { include: grantTypes },
      scopes: { include: ['*'] },
    },
    actions: {
      token: {
        accessTokenLifetimeMinutes: minutes(lifetimes.accessTokenMs),
        refreshTokenLifetimeMinutes: minutes(lifetimes.refreshTokenMs),
        // Refresh tokens have a lifetime but no idle timeout.
        refreshTokenWindowMinutes: minutes(lifetimes.refreshTokenMs),
      },
    },
    ...timestamps,
    _links: { self: { href: `${selfOf(call)}/policies/${policyOf(call).id}/rules/${ruleId}` } },
  }
}

const scopesOf = ({ scopes }: ServerFacts): readonly ServerItem[] =>
  scopes.map((name) => ({
    id: idFrom('scp', `scope ${name}`),
    name,
    displayName: name,
    description: null,
    system: true,
    default: false,
    optional: false,
    consent: 'IMPLICIT',
    metadataPublish: 'ALL_CLIENTS',
  }))

const claim = (
  claimType: 'RESOURCE' | 'IDENTITY',
  name: string,
  scopes: readonly string[],
  value = '',
): ServerItem => ({
  id: idFrom('ocl', `claim ${claimType} ${name}`),
  name,
  claimType,
  valueType: value === '' ? 'SYSTEM' : 'EXPRESSION',
  value,
  status: 'ACTIVE',
  system: true,
  alwaysIncludeInToken: claimType === 'RESOURCE',
  conditions: { scopes },
})

/** The claims of the scopes, and those of the custom attributes, which belong to `profile`. */
async function claimsOf({ parts }: Call, { claims }: ServerFacts): Promise<readonly ServerItem[]> {
  const custom = visibleAttributes(await findUserSchema(parts.storage.db))
  return [
    claim('RESOURCE', 'sub', [], 'user.login'),
    ...Object.entries(claims).flatMap(([scope, names]) =>
      names.map((name) => claim('IDENTITY', name, [scope])),
    ),
    ...custom.map((name) => claim('IDENTITY', name, ['profile'], `user.${name}`)),
  ]
}

const one = '/authorizationServers/:authServerId'

/** The operations that list items of the server and get one by its id. */
function readOperations(
  path: string,
  { name, param, kind }: { readonly name: string; readonly param: string; readonly kind: string },
  itemsOf: (call: Call, facts: ServerFacts) => readonly ServerItem[] | Promise<readonly ServerItem[]>,
): readonly Operation[] {
  return [
    {
      method: 'GET',
      path,
      role: 'read',
      summary: `List the ${name.replace(/y$/, 'ie')}s of an authorization server`,
      async handle(call): Promise<Answer> {
        const all = await itemsOf(call, factsIn(call))
        const { items, next } = pageWithin(all, pageOf(call.query), (item) => item.id)
        return { body: items, next }
      },
    },
    {
      method: 'GET',
      path: `${path}/:${param}`,
      role: 'read',
      summary: `Get a ${name} of an authorization server`,
      async handle(call): Promise<Answer> {
        const wanted = call.params[param] ?? ''
        const found = (await itemsOf(call, factsIn(call))).find((item) => item.id === wanted)
        if (found === undefined) throw notFound(wanted, kind)
        return { body: found }
      },
    },
  ]
}

function rulesOf(call: Call, facts: ServerFacts): readonly ServerItem[] {
  const policyId = call.params.policyId ?? ''
  if (policyId !== policyOf(call).id) throw notFound(policyId, 'Policy')
  return [ruleOf(call, facts)]
}

export const serverOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/authorizationServers',
    role: 'read',
    summary: 'List the authorization servers: only `default`',
    async handle(call) {
      const facts = call.parts.authorizationServer?.()
      const all = facts === undefined ? [] : [serverOf(call, facts)]
      const { items, next } = pageWithin(all, pageOf(call.query), () => id)
      return { body: items, next }
    },
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an authorization server',
    handle: async (call) => ({ body: serverOf(call, factsIn(call)) }),
  },
  ...readOperations(`${one}/policies`, { name: 'policy', param: 'policyId', kind: 'Policy' }, (call) => [
    policyOf(call),
  ]),
  ...readOperations(
    `${one}/policies/:policyId/rules`,
    { name: 'rule', param: 'ruleId', kind: 'PolicyRule' },
    rulesOf,
  ),
  ...readOperations(`${one}/scopes`, { name: 'scope', param: 'scopeId', kind: 'OAuth2Scope' }, (_, facts) =>
    scopesOf(facts),
  ),
  ...readOperations(`${one}/claims`, { name: 'claim', param: 'claimId', kind: 'OAuth2Claim' }, claimsOf),
]
