import { record } from '../../audit/index.ts'
import { isoTime } from '../../base/index.ts'
import {
  type Client,
  findClient,
  findScopeGrant,
  grantScope,
  listScopeGrants,
  revokeScopeGrant,
  type ScopeGrant,
} from '../../clients/index.ts'
import { insufficient } from '../access.ts'
import { notFound } from '../errors.ts'
import { newReader, pageOf, pageWithin, requiredText, textIn } from '../input.ts'
import { type Answer, type Call, type Operation, prefix } from '../operation.ts'
import { managementScopes, suffices } from '../scopes.ts'

/**
 * A service app hands on nothing that it may not do itself: neither a scope, nor the keys of an app that has it. Throws
 * 403 `E0000006`.
 */
export function mayHandOn({ scopes }: Call, handedOn: readonly string[]): void {
  if (scopes === undefined) return
  for (const scope of handedOn) if (!suffices(scopes, scope)) throw insufficient(scope)
}

async function getApp({ parts, params }: Call): Promise<Client> {
  const id = params.appId ?? ''
  const client = await findClient(parts.storage.db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  return client
}

async function getGrant({ parts, params }: Call, client: Client): Promise<ScopeGrant> {
  const id = params.grantId ?? ''
  const grant = await findScopeGrant(parts.storage.db, client.id, id)
  if (grant === undefined) throw notFound(id, 'OAuth2ScopeConsentGrant')
  return grant
}

function grantOf({ parts }: Call, { id, clientId, scope, createdBy, createdAt }: ScopeGrant): object {
  const base = parts.baseUrl()
  const app = `${base}${prefix}/apps/${clientId}`
  return {
    id,
    status: 'ACTIVE',
    source: 'ADMIN',
    issuer: base,
    clientId,
    scopeId: scope,
    created: isoTime(createdAt),
    lastUpdated: isoTime(createdAt),
    createdBy: { id: createdBy, type: 'User' },
    _links: { self: { href: `${app}/grants/${id}` }, app: { href: app } },
  }
}

/** What tells of a change of an app in the log. */
const tell = (
  { parts, actor, now }: Call,
  { id, label }: Client,
  done: string,
  scope: string,
): Promise<void> =>
  record(
    parts.storage.db,
    {
      eventType: 'application.lifecycle.update',
      displayMessage: done,
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'AppInstance', displayName: label }],
      debugData: { scope },
    },
    { random: parts.random, now },
  )

async function grant(call: Call): Promise<Answer> {
  const { parts, actor, now } = call
  const client = await getApp(call)
  const reader = newReader()
  const scope = requiredText(reader, call.body, 'scopeId', { max: 100 })
  const issuer = textIn(reader, call.body, 'issuer')
  if (issuer !== undefined && issuer.replace(/\/$/, '') !== parts.baseUrl()) {
    reader.problems.push('issuer: must be the address of this engine')
  }
  if (scope !== '' && !managementScopes.includes(scope)) {
    reader.problems.push(`scopeId: ${scope} is no scope of this engine`)
  }
  if (client.settings.applicationType !== 'service') {
    reader.problems.push('scopeId: scopes are granted to apps with the application_type service')
  }
  reader.check()
  mayHandOn(call, [scope])
  const wanted = { clientId: client.id, scope, createdBy: actor.id }
  const granted = await grantScope(parts.storage.db, wanted, { random: parts.random, now })
  await tell(call, client, 'Grant consent to scope', scope)
  return { status: 201, body: grantOf(call, granted) }
}

async function revoke(call: Call): Promise<Answer> {
  const client = await getApp(call)
  const { id, scope } = await getGrant(call, client)
  await revokeScopeGrant(call.parts.storage.db, id)
  await tell(call, client, 'Revoke consent to scope', scope)
  return {}
}

const all = '/apps/:appId/grants'
const one = `${all}/:grantId`

export const grantOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'Lists the scopes that a service app was granted.',
    handle: async (call) => {
      const { id } = await getApp(call)
      const grants = await listScopeGrants(call.parts.storage.db, id)
      const { items, next } = pageWithin(grants, pageOf(call.query), (each) => each.id)
      return { body: items.map((each) => grantOf(call, each)), next }
    },
  },
  { method: 'POST', path: all, role: 'all', summary: 'Grants a scope to a service app.', handle: grant },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of a grant.',
    handle: async (call) => ({ body: grantOf(call, await getGrant(call, await getApp(call))) }),
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Takes a scope away; tokens that have it lose it at once.',
    handle: revoke,
  },
]
