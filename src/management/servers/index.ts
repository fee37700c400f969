/**
 * The authorization server `default` over HTTP, after Okta's Authorization Servers API, to be read: tools look up its
 * issuer, scopes and claims by it. It is what the engine makes it; nothing of it is changed here.
 */
import { isoTime, plainHash } from '../../base/index.ts'
import { findUserSchema, visibleAttributes } from '../../directory/index.ts'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Answer, type Call, type Operation, prefix, type ServerFacts } from '../operation.ts'

const id = 'default'

/** Made from what it is the id of: the same on every node and after every start. */
const idFrom = (letters: string, of: string): string =>
  letters + plainHash(`authorization server ${of}`).replace(/[-_]/g, '').slice(0, 17)

function factsIn({ parts, params }: Call): ServerFacts {
  const asked = params.authServerId ?? ''
  const facts = parts.authorizationServer?.()
  if (asked !== id || facts === undefined) throw notFound(asked, 'AuthorizationServer')
  return facts
}

const selfOf = ({ parts }: Call): string => `${parts.baseUrl()}${prefix}/authorizationServers/${id}`
const always = { created: isoTime(0), lastUpdated: isoTime(0) }

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
    ...always,
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

type Thing = Readonly<Record<string, unknown>> & { readonly id: string }

function policyOf(call: Call): Thing {
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
    ...always,
    _links: { self: { href: self }, rules: { href: `${self}/rules` } },
  }
}

function ruleOf(call: Call, { grantTypes, lifetimes }: ServerFacts): Thing {
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
        // The lifetime is what counts: a refresh token does not end by not being used.
        refreshTokenWindowMinutes: minutes(lifetimes.refreshTokenMs),
      },
    },
    ...always,
    _links: { self: { href: `${selfOf(call)}/policies/${policyOf(call).id}/rules/${ruleId}` } },
  }
}

const scopesOf = ({ scopes }: ServerFacts): readonly Thing[] =>
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
): Thing => ({
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

/** The claims that scopes release, and those that the owner's attributes add to the profile. */
async function claimsOf({ parts }: Call, { claims }: ServerFacts): Promise<readonly Thing[]> {
  const own = visibleAttributes(await findUserSchema(parts.storage.db))
  return [
    claim('RESOURCE', 'sub', [], 'user.login'),
    ...Object.entries(claims).flatMap(([scope, names]) =>
      names.map((name) => claim('IDENTITY', name, [scope])),
    ),
    ...own.map((name) => claim('IDENTITY', name, ['profile'], `user.${name}`)),
  ]
}

const one = '/authorizationServers/:authServerId'

/** A list of things, and one of them by its id. */
function reading(
  path: string,
  { name, param, kind }: { readonly name: string; readonly param: string; readonly kind: string },
  things: (call: Call, facts: ServerFacts) => readonly Thing[] | Promise<readonly Thing[]>,
): readonly Operation[] {
  return [
    {
      method: 'GET',
      path,
      role: 'read',
      summary: `Lists the ${name.replace(/y$/, 'ie')}s of the authorization server.`,
      async handle(call): Promise<Answer> {
        const all = await things(call, factsIn(call))
        const { items, next } = pageWithin(all, pageOf(call.query), (thing) => thing.id)
        return { body: items, next }
      },
    },
    {
      method: 'GET',
      path: `${path}/:${param}`,
      role: 'read',
      summary: `Tells of a ${name} of the authorization server.`,
      async handle(call): Promise<Answer> {
        const wanted = call.params[param] ?? ''
        const found = (await things(call, factsIn(call))).find((thing) => thing.id === wanted)
        if (found === undefined) throw notFound(wanted, kind)
        return { body: found }
      },
    },
  ]
}

function rulesOf(call: Call, facts: ServerFacts): readonly Thing[] {
  const policyId = call.params.policyId ?? ''
  if (policyId !== policyOf(call).id) throw notFound(policyId, 'Policy')
  return [ruleOf(call, facts)]
}

export const serverOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/authorizationServers',
    role: 'read',
    summary: 'Lists the authorization servers that have issuers of their own: `default` alone.',
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
    summary: 'Tells of an authorization server.',
    handle: async (call) => ({ body: serverOf(call, factsIn(call)) }),
  },
  ...reading(`${one}/policies`, { name: 'policy', param: 'policyId', kind: 'Policy' }, (call) => [
    policyOf(call),
  ]),
  ...reading(
    `${one}/policies/:policyId/rules`,
    { name: 'rule', param: 'ruleId', kind: 'PolicyRule' },
    rulesOf,
  ),
  ...reading(`${one}/scopes`, { name: 'scope', param: 'scopeId', kind: 'OAuth2Scope' }, (_, facts) =>
    scopesOf(facts),
  ),
  ...reading(`${one}/claims`, { name: 'claim', param: 'claimId', kind: 'OAuth2Claim' }, claimsOf),
]
