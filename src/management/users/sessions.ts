import { Type } from 'typebox'
import { record, sessionsCleared } from '../../audit/index.ts'
import { describeUserAgent, isoTime } from '../../base/index.ts'
import { findClient } from '../../clients/index.ts'
import { lockPerson } from '../../directory/index.ts'
import { liveSessionsOf, revokeSession, type Session } from '../../sessions/index.ts'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Context, type Operation, operation } from '../operation.ts'
import { page } from '../schema.ts'
import { getUser } from './read.ts'
import { userSession } from './schema.ts'

// What Okta's API does not have: it ends all sessions of a user and lists none. An administrator who reacts to a theft wants
// to see them, and to end the one of the thief (N-m56).

/** A session as an administrator sees it: which app, since when, from where. */
async function renderSession({ parts }: Context, session: Session): Promise<object> {
  const { id, personId, clientId, createdAt, expiresAt, details } = session
  const { browser, system } = describeUserAgent(details.userAgent ?? '')
  const client = await findClient(parts.storage.db, clientId)
  return {
    id,
    userId: personId,
    status: 'ACTIVE',
    clientId,
    clientLabel: client?.label ?? null,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
    amr: details.amr,
    ipAddress: details.ip ?? null,
    userAgent: details.userAgent ?? null,
    browser: browser || null,
    os: system || null,
  }
}

export const userSessions: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/users/:userId/sessions',
    role: 'read',
    summary: 'List the sessions of a user that have not ended, newest first',
    query: page,
    response: Type.Array(userSession),
    async handle(call) {
      const { id } = await getUser(call)
      const sessions = await liveSessionsOf(call.parts.storage.db, id, call.now)
      const { items, next } = pageWithin(sessions, pageOf(call.query), (session) => session.id)
      return { body: await Promise.all(items.map((session) => renderSession(call, session))), next }
    },
  }),
  operation({
    method: 'DELETE',
    path: '/users/:userId/sessions/:sessionId',
    role: 'users',
    summary: 'Revoke a session of a user and its tokens',
    async handle(call) {
      const { parts, actor, now, params } = call
      const { sessionId = '' } = params
      const { id } = await getUser(call)
      const isEnded = await parts.storage.transaction(async (tx) => {
        // The user's row first, as in every transaction about a user (A50).
        await lockPerson(tx, id)
        // The session of another user is as unknown as one that has ended.
        if (!(await liveSessionsOf(tx, id, now)).some((session) => session.id === sessionId)) return false
        if ((await revokeSession(tx, sessionId, now)) === undefined) return false
        await record(tx, sessionsCleared(id, 1, actor), { random: parts.random, now })
        return true
      })
      if (!isEnded) throw notFound(sessionId, 'Session')
      return {}
    },
  }),
]
