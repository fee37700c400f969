import { Type } from 'typebox'
import { record, sessionsCleared } from '../../audit/index.ts'
import { describeUserAgent, isoTime } from '../../base/index.ts'
import { findClient } from '../../clients/index.ts'
import { lockPerson } from '../../directory/index.ts'
import {
  hasLiveSession,
  liveSessionsOf,
  revokeChildrenOf,
  revokeParentOf,
  revokeSession,
  type Session,
  type SessionsAfter,
} from '../../sessions/index.ts'
import { invalid, notFound } from '../errors.ts'
import { pageFrom, pageOf } from '../input.ts'
import { type Operation, operation } from '../operation.ts'
import { page } from '../schema.ts'
import { getUser } from './read.ts'
import { userSession } from './schema.ts'

// What Okta's API does not have: it ends all sessions of a user and lists none. An administrator who reacts to a theft wants
// to see them, and to end the one of the thief. A browser that has signed in on the engine's pages is one of them: it answers every app
// without a question.

/**
 * A session as an administrator sees it: which app, since when, from where. That of a browser has the app that it began at.
 */
function renderSession(session: Session, clientLabel: string | null): object {
  const { id, personId, clientId, createdAt, expiresAt, details, usedAt, parentId } = session
  const { browser, system } = describeUserAgent(details.userAgent ?? '')
  return {
    id,
    userId: personId,
    kind: usedAt === undefined ? 'APP' : 'BROWSER',
    browserSessionId: parentId ?? null,
    lastUsedAt: usedAt === undefined ? null : isoTime(usedAt),
    status: 'ACTIVE',
    clientId,
    clientLabel,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
    amr: details.amr,
    ipAddress: details.ip ?? null,
    userAgent: details.userAgent ?? null,
    browser: browser || null,
    os: system || null,
  }
}

/** By time and id, so that a page follows the former one even where sessions end between the two. */
const cursorOf = ({ createdAt, id }: Session): string => `${createdAt}.${id}`

function cursorFrom(text: string): SessionsAfter {
  const [, createdAt = '', id = ''] = /^(\d{1,15})\.(\w{1,64})$/.exec(text) ?? []
  if (id === '') throw invalid(['after: must be taken from a Link header'])
  return { createdAt: Number(createdAt), id }
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
      const { db } = call.parts.storage
      const { limit, after } = pageOf(call.query)
      const from = after === undefined ? {} : { after: cursorFrom(after) }
      const found = await liveSessionsOf(db, id, {
        now: call.now,
        limit: limit + 1,
        browserIdleMs: call.parts.browserIdleMs,
        ...from,
      })
      const { items, next } = pageFrom(found, { limit, after }, cursorOf)
      const labels = new Map<string, string | null>()
      for (const clientId of new Set(items.map((session) => session.clientId)))
        labels.set(clientId, (await findClient(db, clientId))?.label ?? null)
      return {
        body: items.map((session) => renderSession(session, labels.get(session.clientId) ?? null)),
        next,
      }
    },
  }),
  operation({
    method: 'DELETE',
    path: '/users/:userId/sessions/:sessionId',
    role: 'users',
    summary:
      'Revoke a session of a user and its tokens: of a browser those of the apps that came of it as well, and of such an app that of its browser',
    async handle(call) {
      const { parts, actor, now, params } = call
      const { sessionId = '' } = params
      const { id } = await getUser(call)
      const isEnded = await parts.storage.transaction(async (tx) => {
        // The user's row first, as in every transaction about a user (A50).
        await lockPerson(tx, id)
        // The session of another user is as unknown as one that has ended.
        if (!(await hasLiveSession(tx, id, sessionId, now))) return false
        if ((await revokeSession(tx, sessionId, now)) === undefined) return false
        // The browser would sign in to the app again at once, and the apps of a browser would go on without it (A71).
        const parent = await revokeParentOf(tx, sessionId, now)
        const ended = 1 + (parent === undefined ? 0 : 1) + (await revokeChildrenOf(tx, sessionId, now))
        await record(tx, sessionsCleared(id, ended, actor), { random: parts.random, now })
        return true
      })
      if (!isEnded) throw notFound(sessionId, 'Session')
      return {}
    },
  }),
]
