import { isAccountScope } from '../clients/index.ts'
import type { Person } from '../directory/index.ts'
import type { Session } from '../sessions/index.ts'
import { comesAsBound, type Presented } from './dpop.ts'
import type { Parts } from './parts.ts'
import { stillGranted } from './scope-grants.ts'
import type { AuthorizationServer } from './server.ts'
import { findLiveAccessToken } from './token-status.ts'

/** The user of an access token, the session that it came from, and what it may be used for. */
export interface UserCaller {
  readonly person: Person
  readonly session: Session
  readonly clientId: string
  /** The scopes of the token for the user's own account that are still granted to the app. */
  readonly scopes: readonly string[]
}

/** The user of a valid access token of either server; undefined for every other token, those of services among them. */
export async function findUserCaller(
  parts: Parts,
  servers: readonly AuthorizationServer[],
  token: string,
  presented: Presented,
): Promise<UserCaller | undefined> {
  for (const server of servers) {
    const live = await findLiveAccessToken(parts, server, token)
    if (live === undefined || live.claims.aud !== server.audience) continue
    if (!(await comesAsBound(parts, token, live.claims, presented))) return undefined
    const { person, session, clientId, claims } = live
    const own = (Array.isArray(claims.scp) ? (claims.scp as readonly string[]) : []).filter(isAccountScope)
    return { person, session, clientId, scopes: await stillGranted(parts.storage.db, clientId, own) }
  }
  return undefined
}
