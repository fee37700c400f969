/**
 * Users over HTTP, after Okta's Users API: create, read, search, change, lifecycle, credentials and sessions. What a
 * change ends (sessions, transactions, tokens) is decided in `people/`; tokens and mails of a reset in `recovery.ts`.
 */
import type { Operation } from '../operation.ts'
import { appLinks } from './app-links.ts'
import { browserSessions } from './browser-sessions.ts'
import { userChanges } from './changes.ts'
import { credentials } from './credentials.ts'
import { userGrants } from './grants.ts'
import { lifecycle } from './lifecycle.ts'
import { crud } from './operations.ts'
import { userSessions } from './sessions.ts'

export const userOperations: readonly Operation[] = [
  ...crud,
  ...userSessions,
  ...browserSessions,
  ...userChanges,
  ...userGrants,
  appLinks,
  ...lifecycle,
  ...credentials,
]
export { getUser } from './read.ts'
export { mailActivation } from './recovery.ts'
export { user } from './schema.ts'
export { renderUsers } from './wire.ts'
