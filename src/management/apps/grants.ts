import { Type } from 'typebox'
import {
  type Client,
  findScopeGrant,
  grantScope,
  isAccountScope,
  listScopeGrants,
  revokeScopeGrant,
  type ScopeGrant,
} from '../../clients/index.ts'
import { type Db, takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Answer, type Call, type Context, type Operation, operation } from '../operation.ts'
import { page } from '../schema.ts'
import { managementScopes } from '../scopes.ts'
import { checkDelegation, refuseIfPlanted } from './delegation.ts'
import { getApp, getAppForUpdate, recordAppEvent } from './find.ts'
import { newScopeGrant, scopeGrant } from './schema.ts'
import { renderGrant } from './wire.ts'

async function getGrant(
  { parts, params }: Context,
  client: Client,
  db: Db = parts.storage.db,
): Promise<ScopeGrant> {
  const id = params.grantId ?? ''
  const grant = await findScopeGrant(db, client.id, id)
  if (grant === undefined) throw notFound(id, 'OAuth2ScopeConsentGrant')
  return grant
}

const recordGrantEvent = (
  call: Context,
  db: Db,
  client: Client,
  message: string,
  scope: string,
): Promise<void> =>
  recordAppEvent(call, db, client, {
    eventType: 'application.lifecycle.update',
    displayMessage: message,
    debugData: { scope },
  })

function problemsOf(
  { parts, body }: Call<{ readonly scopeId: string; readonly issuer?: string | null }>,
  { settings: { applicationType } }: Client,
): readonly string[] {
  const { scopeId, issuer } = body
  const known = managementScopes.includes(scopeId) || isAccountScope(scopeId)
  const isService = applicationType === 'service'
  return [
    ...(issuer && issuer.replace(/\/$/, '') !== parts.baseUrl()
      ? [`issuer: must be ${parts.baseUrl()}, the org authorization server, which issues these scopes`]
      : []),
    ...(known ? [] : [`scopeId: ${scopeId} is not a scope of this engine`]),
    ...(known && isService && isAccountScope(scopeId)
      ? ['scopeId: scopes of okta.myAccount are for users, and a service app has none']
      : []),
    ...(known && !isService && !isAccountScope(scopeId)
      ? [
          'scopeId: scopes of the management API can only be granted to apps with the application_type service',
        ]
      : []),
  ]
}

async function grant(
  call: Call<{ readonly scopeId: string; readonly issuer?: string | null }>,
): Promise<Answer> {
  const { parts, actor, now, body } = call
  return parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    const problems = problemsOf(call, client)
    if (problems.length > 0) throw invalid(problems)
    checkDelegation(call, [body.scopeId])
    refuseIfPlanted(client, body.scopeId)
    const wanted = { clientId: client.id, scope: body.scopeId, createdBy: actor.id }
    const granted = await grantScope(tx, wanted, { random: parts.random, now })
    await recordGrantEvent(call, tx, client, 'Grant consent to scope', body.scopeId)
    return { status: 201, body: renderGrant(parts.baseUrl(), granted) }
  })
}

const revoke = (call: Context): Promise<Answer> =>
  call.parts.storage.transaction(async (tx) => {
    await takeLock(tx, 'apps')
    const client = await getApp(call, tx)
    const { id, scope } = await getGrant(call, client, tx)
    await revokeScopeGrant(tx, id)
    await recordGrantEvent(call, tx, client, 'Revoke consent to scope', scope)
    return {}
  })

const all = '/apps/:appId/grants'
const one = `${all}/:grantId`

export const grantOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List the scope grants of an app',
    query: page,
    response: Type.Array(scopeGrant),
    handle: async (call) => {
      const { id } = await getApp(call)
      const grants = await listScopeGrants(call.parts.storage.db, id)
      const { items, next } = pageWithin(grants, pageOf(call.query), (each) => each.id)
      return { body: items.map((each) => renderGrant(call.parts.baseUrl(), each)), next }
    },
  }),
  operation({
    method: 'POST',
    path: all,
    role: 'all',
    summary: 'Grant a scope: of the management API to a service app, `okta.myAccount.*` to others',
    body: newScopeGrant,
    response: scopeGrant,
    status: 201,
    handle: grant,
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a scope grant',
    response: scopeGrant,
    handle: async (call) => ({
      body: renderGrant(call.parts.baseUrl(), await getGrant(call, await getApp(call))),
    }),
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Revoke a scope grant; issued tokens lose the scope at once',
    handle: revoke,
  }),
]
