import { record, sessionsCleared } from '../../audit/index.ts'
import { findPerson, lockPerson } from '../../directory/index.ts'
import {
  type BrowserSession,
  findLiveBrowserSession,
  revokeChildrenOf,
  revokeSession,
  shownSession,
  useBrowserSession,
} from '../../sessions/index.ts'
import { notFound } from '../errors.ts'
import { type Call, type Operation, operation } from '../operation.ts'
import { browserSession } from './schema.ts'

// Okta's sessions API by the id of a session, for administrators. A session there is that of a browser.

const path = '/sessions/:sessionId'

/** The session of the path, that of an app excepted: it is none of a browser. */
async function sessionIn({
  parts,
  params,
  now,
}: Pick<Call, 'parts' | 'params' | 'now'>): Promise<BrowserSession> {
  const { sessionId = '' } = params
  const { storage, browserIdleMs: idleMs = Number.MAX_SAFE_INTEGER } = parts
  const session = await findLiveBrowserSession(storage.db, sessionId, { now, idleMs })
  if (session === undefined) throw notFound(sessionId, 'Session')
  return session
}

async function rendered({ parts }: Pick<Call, 'parts'>, session: BrowserSession): Promise<object> {
  const login = (await findPerson(parts.storage.db, session.personId))?.profile.login ?? ''
  const base = `${parts.baseUrl()}/api/v1`
  const self = `${base}/sessions/${session.id}`
  return {
    ...shownSession(session, login),
    _links: {
      self: { href: self, hints: { allow: ['GET', 'DELETE'] } },
      refresh: { href: `${self}/lifecycle/refresh`, hints: { allow: ['POST'] } },
      user: { name: login, href: `${base}/users/${session.personId}`, hints: { allow: ['GET'] } },
    },
  }
}

export const browserSessions: readonly Operation[] = [
  operation({
    method: 'GET',
    path,
    role: 'read',
    summary: "Return the session of a browser that signed in on the engine's own pages",
    response: browserSession,
    async handle(call) {
      return { body: await rendered(call, await sessionIn(call)) }
    },
  }),
  operation({
    method: 'DELETE',
    path,
    role: 'users',
    summary: 'Revoke the session of a browser, those of the apps that came of it, and their tokens',
    async handle(call) {
      const { parts, actor, now } = call
      const { id, personId } = await sessionIn(call)
      const isEnded = await parts.storage.transaction(async (tx) => {
        // The user's row first, as in every transaction about a user (A50).
        await lockPerson(tx, personId)
        if ((await revokeSession(tx, id, now)) === undefined) return false
        const ended = 1 + (await revokeChildrenOf(tx, id, now))
        await record(tx, sessionsCleared(personId, ended, actor), { random: parts.random, now })
        return true
      })
      if (!isEnded) throw notFound(id, 'Session')
      return {}
    },
  }),
  operation({
    method: 'POST',
    path: `${path}/lifecycle/refresh`,
    role: 'users',
    summary:
      'Prolong the session of a browser as a use does: it ends after its idle time, and at its end at the latest',
    response: browserSession,
    async handle(call) {
      const session = await sessionIn(call)
      return { body: await rendered(call, await useBrowserSession(call.parts.storage.db, session, call.now)) }
    },
  }),
]
