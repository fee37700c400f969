/**
 * People over HTTP, after Okta's Users API: create, read, search, change, their lifecycle, passwords and sessions. What
 * a change ends is decided by `people.ts`; tokens and mails of a reset by `recovery.ts`.
 */
import type { Operation } from '../operation.ts'
import { appLinks } from './app-links.ts'
import { credentials } from './credentials.ts'
import { crud } from './crud.ts'
import { lifecycle } from './lifecycle.ts'

export const userOperations: readonly Operation[] = [...crud, appLinks, ...lifecycle, ...credentials]
export { getUser } from './read.ts'
export { usersOf } from './wire.ts'
