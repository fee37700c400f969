import { isoTime } from '../../base/index.ts'
import {
  type Client,
  findScopeGrant,
  grantScope,
  listScopeGrants,
  revokeScopeGrant,
  type ScopeGrant,
} from '../../clients/index.ts'
import { insufficientScope } from '../access.ts'
import { notFound } from '../errors.ts'
import { pageWithin } from '../input.ts'
import { type Answer, type Call, type Operation, prefix } from '../operation.ts'
import { newReader, rawPageOf as pageOf, requiredText, textIn } from '../reader.ts'
import { coversScope, managementScopes } from '../scopes.ts'
import { getApp, recordAppEvent } from './find.ts'

/**
 * Throws 403 `E0000006` if a service app would delegate scopes that its own token lacks: by granting them, or by changing
 * the keys of an app that has them. Otherwise a service app could raise its own privileges.
 */
export function checkDelegation({ scopes }: Call, delegated: readonly string[]): void {
  if (scopes === undefined) return
  for (const scope of delegated) if (!coversScope(scopes, scope)) throw insufficientScope(scope)
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

const recordGrantEvent = (call: Call, client: Client, message: string, scope: string): Promise<void> =>
  recordAppEvent(call, call.parts.storage.db, client, {
    eventType: 'application.lifecycle.update',
    displayMessage: message,
    debugData: { scope },
  })

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
    reader.problems.push(`scopeId: ${scope} is not a scope of this engine`)
  }
  if (client.settings.applicationType !== 'service') {
    reader.problems.push('scopeId: scopes can only be granted to apps with the application_type service')
  }
  reader.check()
  checkDelegation(call, [scope])
  const wanted = { clientId: client.id, scope, createdBy: actor.id }
  const granted = await grantScope(parts.storage.db, wanted, { random: parts.random, now })
  await recordGrantEvent(call, client, 'Grant consent to scope', scope)
  return { status: 201, body: grantOf(call, granted) }
}

async function revoke(call: Call): Promise<Answer> {
  const client = await getApp(call)
  const { id, scope } = await getGrant(call, client)
  await revokeScopeGrant(call.parts.storage.db, id)
  await recordGrantEvent(call, client, 'Revoke consent to scope', scope)
  return {}
}

const all = '/apps/:appId/grants'
const one = `${all}/:grantId`

export const grantOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List the scope grants of a service app',
    handle: async (call) => {
      const { id } = await getApp(call)
      const grants = await listScopeGrants(call.parts.storage.db, id)
      const { items, next } = pageWithin(grants, pageOf(call.query), (each) => each.id)
      return { body: items.map((each) => grantOf(call, each)), next }
    },
  },
  { method: 'POST', path: all, role: 'all', summary: 'Grant a scope to a service app', handle: grant },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a scope grant',
    handle: async (call) => ({ body: grantOf(call, await getGrant(call, await getApp(call))) }),
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Revoke a scope grant; issued tokens lose the scope at once',
    handle: revoke,
  },
]
