import { Type } from 'typebox'
import { record } from '../../audit/index.ts'
import { isoTime } from '../../base/index.ts'
import {
  allConsentsOf,
  type Consent,
  findClient,
  findConsent,
  forgetLeftOut,
  withdrawConsents,
} from '../../clients/index.ts'
import { lockPerson, raiseVersion } from '../../directory/index.ts'
import { revokeSessionsAt } from '../../sessions/index.ts'
import type { Db } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Answer, type Context, type Operation, operation, prefix } from '../operation.ts'
import { page } from '../schema.ts'
import { getUser } from './read.ts'
import { userGrant } from './schema.ts'

/** A consent of a user, as Okta's API shows it. */
function renderConsent({ parts }: Context, { id, personId, clientId, scope, createdAt }: Consent): object {
  const base = parts.baseUrl()
  const user = `${base}${prefix}/users/${personId}`
  const app = `${base}${prefix}/apps/${clientId}`
  return {
    id,
    status: 'ACTIVE',
    source: 'END_USER',
    issuer: parts.authorizationServer?.().issuer ?? base,
    clientId,
    userId: personId,
    scopeId: scope,
    created: isoTime(createdAt),
    lastUpdated: isoTime(createdAt),
    _links: { self: { href: `${user}/grants/${id}` }, user: { href: user }, app: { href: app } },
  }
}

/**
 * Takes consents back. The sessions of the user at those apps end with their tokens: an app would go on with what it is not allowed any
 * more. At the next sign-in the user is asked again.
 */
async function withdraw(
  call: Context,
  personId: string,
  which: (db: Db) => Promise<readonly Consent[]>,
): Promise<number> {
  const { parts, actor, now } = call
  return parts.storage.transaction(async (tx) => {
    // The user's row first, as in every transaction about a user (A50).
    await lockPerson(tx, personId)
    const wanted = await which(tx)
    const taken = await withdrawConsents(
      tx,
      personId,
      wanted.map(({ id }) => id),
    )
    // A silent sign-in that has read them before does not go on with them (A49).
    if (taken.length > 0) await raiseVersion(tx, personId)
    for (const clientId of new Set(taken.map((one) => one.clientId))) {
      await revokeSessionsAt(tx, { personId, clientId }, now)
      const scopes = taken.flatMap((one) => (one.clientId === clientId ? [one.scope] : []))
      const event = {
        eventType: 'app.oauth2.as.consent.revoke',
        displayMessage: 'Consent of a user to an app was taken back',
        outcome: { result: 'SUCCESS' },
        actor,
        target: [
          { id: clientId, type: 'AppInstance' },
          { id: personId, type: 'User' },
        ],
        debugData: { scopes: scopes.join(' ') },
      } as const
      await record(tx, event, { random: parts.random, now })
    }
    return taken.length
  })
}

/** Whose consents are meant: of a user at all apps, or at one that is there. */
async function whoseConsents(call: Context, clientId?: string) {
  const { id: personId } = await getUser(call)
  if (clientId === undefined) return { personId }
  const client = await findClient(call.parts.storage.db, clientId)
  if (client === undefined) throw notFound(clientId, 'AppInstance')
  return { personId, clientId }
}

async function list(call: Context, query: Parameters<typeof pageOf>[0], clientId?: string): Promise<Answer> {
  const whose = await whoseConsents(call, clientId)
  const consents = await allConsentsOf(call.parts.storage.db, whose)
  const { items, next } = pageWithin(consents, pageOf(query), ({ id }) => id)
  return { body: items.map((one) => renderConsent(call, one)), next }
}

async function withdrawAll(call: Context, clientId?: string): Promise<Answer> {
  const whose = await whoseConsents(call, clientId)
  await withdraw(call, whose.personId, async (db) => {
    await forgetLeftOut(db, whose)
    return allConsentsOf(db, whose)
  })
  return {}
}

const all = '/users/:userId/grants'
const one = `${all}/:grantId`
const ofClient = '/users/:userId/clients/:clientId/grants'

export const userGrants: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List what a user has allowed apps',
    query: page,
    response: Type.Array(userGrant),
    handle: (call) => list(call, call.query),
  }),
  operation({
    method: 'DELETE',
    path: all,
    role: 'users',
    summary: 'Take back all that a user has allowed apps; their sessions and tokens end',
    handle: (call) => withdrawAll(call),
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get one of the things that a user has allowed an app',
    response: userGrant,
    async handle(call) {
      const { id } = await getUser(call)
      const { grantId = '' } = call.params
      const found = await findConsent(call.parts.storage.db, id, grantId)
      if (found === undefined) throw notFound(grantId, 'OAuth2ScopeConsentGrant')
      return { body: renderConsent(call, found) }
    },
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'users',
    summary: 'Take back one of the things that a user has allowed an app; its sessions and tokens end',
    async handle(call) {
      const { id } = await getUser(call)
      const { grantId = '' } = call.params
      const taken = await withdraw(call, id, async (db) => {
        const found = await findConsent(db, id, grantId)
        return found === undefined ? [] : [found]
      })
      if (taken === 0) throw notFound(grantId, 'OAuth2ScopeConsentGrant')
      return {}
    },
  }),
  operation({
    method: 'GET',
    path: ofClient,
    role: 'read',
    summary: 'List what a user has allowed an app',
    query: page,
    response: Type.Array(userGrant),
    handle: (call) => list(call, call.query, call.params.clientId),
  }),
  operation({
    method: 'DELETE',
    path: ofClient,
    role: 'users',
    summary: 'Take back all that a user has allowed an app; its sessions and tokens end',
    handle: (call) => withdrawAll(call, call.params.clientId),
  }),
]
