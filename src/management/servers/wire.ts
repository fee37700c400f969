import { derivedId, isoTime } from '../../base/index.ts'
import { readScopeSettings, type ScopeSettings } from '../../clients/index.ts'
import { findUserSchema, visibleAttributes } from '../../directory/index.ts'
import { type Context, prefix, type ServerFacts } from '../operation.ts'

/** The id of the only server. */
export const serverId = 'default'

/** A stable id: nothing of the server is stored. */
const idFrom = (prefix: string, name: string): string => derivedId(prefix, `authorization server ${name}`)

const selfOf = ({ parts }: Context): string => `${parts.baseUrl()}${prefix}/authorizationServers/${serverId}`

/** The server and its policy come with the installation, and are as old. */
const timestamps = (installed: number) => ({
  created: isoTime(installed),
  lastUpdated: isoTime(installed),
})

export const policyId = idFrom('00p', 'policy')

export function renderServer(call: Context, { issuer, audience }: ServerFacts, installed: number): object {
  const self = selfOf(call)
  const link = (name: string) => ({ href: `${self}/${name}`, hints: { allow: ['GET'] } })
  return {
    id: serverId,
    name: serverId,
    description: 'The authorization server of this engine',
    audiences: [audience],
    issuer,
    issuerMode: 'ORG_URL',
    status: 'ACTIVE',
    default: true,
    ...timestamps(installed),
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

export type ServerItem = Readonly<Record<string, unknown>> & { readonly id: string }

export function renderPolicy(call: Context, installed: number): ServerItem {
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
    ...timestamps(installed),
    _links: { self: { href: self }, rules: { href: `${self}/rules` } },
  }
}

export function renderRule(
  call: Context,
  { grantTypes, lifetimes }: ServerFacts,
  installed: number,
): ServerItem {
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
    ...timestamps(installed),
    _links: { self: { href: `${selfOf(call)}/policies/${policyId}/rules/${ruleId}` } },
  }
}

/** The scopes, with what an administrator has set of them. */
export async function renderScopes(
  { parts }: Context,
  { scopes }: ServerFacts,
): Promise<readonly ServerItem[]> {
  const settings = await readScopeSettings(parts.storage.db)
  return scopes.map((name) => renderScope(name, settings[name] ?? {}))
}

export const renderScope = (
  name: string,
  { consent = 'IMPLICIT', optional = false, displayName, description }: ScopeSettings,
): ServerItem => ({
  id: idFrom('scp', `scope ${name}`),
  name,
  displayName: displayName ?? name,
  description: description ?? null,
  system: true,
  default: false,
  optional,
  consent,
  metadataPublish: 'ALL_CLIENTS',
})

const renderClaim = (
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
export async function renderClaims(
  { parts }: Context,
  { claims }: ServerFacts,
): Promise<readonly ServerItem[]> {
  const custom = visibleAttributes(await findUserSchema(parts.storage.db))
  return [
    renderClaim('RESOURCE', 'sub', [], 'user.login'),
    ...Object.entries(claims).flatMap(([scope, names]) =>
      names.map((name) => renderClaim('IDENTITY', name, [scope])),
    ),
    ...custom.map((name) => renderClaim('IDENTITY', name, ['profile'], `user.${name}`)),
  ]
}
