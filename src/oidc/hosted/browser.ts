import { ownCookieIn, sessionCookieNames } from '../../base/index.ts'
import { type BrowserSession, findBrowserSession, useBrowserSession } from '../../sessions/index.ts'
import type { InteractCall } from '../interact.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'

/** A browser's request to a page of the engine's own. */
export interface BrowserCall extends InteractCall {
  readonly cookies: string | undefined
  /** The pattern of its path, for records of development. */
  readonly path: string
  readonly method: string
}

export const isSecure = (server: AuthorizationServer): boolean => server.oauth.startsWith('https:')

/** The session of the browser that calls, which is used by that unless it is only looked at. */
export async function sessionOf(
  { storage, clock, lifetimes }: Parts,
  server: AuthorizationServer,
  cookies: string | undefined,
  { isUse = true }: { readonly isUse?: boolean } = {},
): Promise<{ readonly cookie: string | undefined; readonly found: BrowserSession | undefined }> {
  const cookie = ownCookieIn(cookies, sessionCookieNames, isSecure(server))
  const now = clock.now()
  const found = await findBrowserSession(storage.db, cookie, { now, idleMs: lifetimes.browserIdleMs })
  return { cookie, found: found && isUse ? await useBrowserSession(storage.db, found, now) : found }
}
