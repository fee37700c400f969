import { apiError, ownCookie, sessionCookieNames } from '../../base/index.ts'
import { findPerson, type Person } from '../../directory/index.ts'
import { type BrowserSession, revokeSession, shownSession } from '../../sessions/index.ts'
import { recordSignOut } from '../events.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { sessionOf } from './browser.ts'

/**
 * The session of the browser that calls, as the sessions API shows it. Throws 404 `E0000007` where there is
 * none. A page that asks again and again does not prolong it: that is what a refresh is for.
 */
export async function readSession(
  parts: Parts,
  server: AuthorizationServer,
  cookies: string | undefined,
  { isUse }: { readonly isUse: boolean },
): Promise<object> {
  const { found } = await sessionOf(parts, server, cookies, { isUse })
  const person = found && (await findPerson(parts.storage.db, found.personId))
  if (found === undefined || person === undefined || !mayShow.has(person.status)) throw notFound()
  return rendered(server, found, person)
}

/** Suspended and deactivated users have no session, whatever their browser has. */
const mayShow: ReadonlySet<string> = new Set(['ACTIVE', 'LOCKED_OUT', 'PASSWORD_EXPIRED', 'RECOVERY'])

const notFound = () =>
  apiError('E0000007', { status: 404, summary: 'Not found: Resource not found: me (Session)' })

/**
 * Ends the session of the browser that calls and answers the cookie that takes its cookie away. The sessions
 * of apps that came of it stay, as at Okta: each app signs its own user out.
 */
export async function endSession(
  parts: Parts,
  server: AuthorizationServer,
  cookies: string | undefined,
): Promise<{ readonly ended: boolean; readonly cookie: string }> {
  const { found } = await sessionOf(parts, server, cookies)
  const ended =
    found !== undefined &&
    (await parts.storage.transaction(async (tx) => {
      const session = await revokeSession(tx, found.id, parts.clock.now())
      if (session !== undefined) await recordSignOut(tx, parts, session)
      return session !== undefined
    }))
  return { ended, cookie: ownCookie(sessionCookieNames, '', server.oauth.startsWith('https:')) }
}

function rendered({ issuer: base }: AuthorizationServer, session: BrowserSession, person: Person): object {
  const { login } = person.profile
  const me = `${base}/api/v1/sessions/me`
  return {
    ...shownSession(session, login),
    _links: {
      self: { href: me, hints: { allow: ['GET', 'DELETE'] } },
      refresh: { href: `${me}/lifecycle/refresh`, hints: { allow: ['POST'] } },
      user: { name: login, href: `${base}/api/v1/users/me`, hints: { allow: ['GET'] } },
    },
  }
}
