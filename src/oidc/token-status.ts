import { compareKey } from '../directory/index.ts'
import { findRefreshToken, isAnyRevoked, keyRevocation, type RefreshToken } from './artifacts.store.ts'
import type { Claims, Verified } from './keys.ts'
import { findSignedIn, type Parts, type SignedIn } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { revocableIds } from './tokens.ts'

/** A valid token with its session and user. */
interface LiveToken extends SignedIn {
  readonly clientId: string
  readonly claims: Claims
}

/** A token that this server signed, with its claims, expired and revoked ones included; else undefined. */
export async function readToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<Verified | undefined> {
  const verified = await parts.keys.verify(token)
  return verified?.claims.iss === server.issuer ? verified : undefined
}

/** As `readToken`, and of keys that are published no more: for `id_token_hint` alone. */
export async function readHint(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<Verified | undefined> {
  const verified = await parts.keys.verifyHint(token)
  return verified?.claims.iss === server.issuer ? verified : undefined
}

/** Whether the key that signed a token was revoked: on all nodes at once, whatever public keys they have cached. */
export const isKeyRevoked = ({ storage }: Parts, { kid }: Verified): Promise<boolean> =>
  isAnyRevoked(storage.db, [keyRevocation(kid)])

/**
 * An access token that has not expired, was not revoked, and whose session lives. `sub` is a login, as in Okta's tokens,
 * and a login that its user gave up may become that of another user. An API that goes by `sub` would then take the one
 * for the other, so the tokens of a former login are worth nothing (A85).
 */
export async function findLiveAccessToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<LiveToken | undefined> {
  const verified = await readToken(parts, server, token)
  if (verified === undefined) return undefined
  const { claims, kid } = verified
  const { jti, cid, sid } = claims
  // ID tokens have no `cid`: one must never be accepted as an access token.
  if (!isText(jti) || !isText(cid) || !isText(sid) || hasExpired(parts, claims)) return undefined
  if (await isAnyRevoked(parts.storage.db, [...revocableIds(jti), keyRevocation(kid)])) return undefined
  const live = await withSignedIn(parts, claims, sid, cid)
  return live !== undefined && isLoginOf(live, claims.sub) ? live : undefined
}

/** Compared as names are: another spelling of the login is no other login. */
const isLoginOf = ({ person }: SignedIn, sub: unknown): boolean =>
  isText(sub) && compareKey(sub) === compareKey(person.profile.login)

/** An ID token that has not expired, with a live session. */
export async function findLiveIdToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<LiveToken | undefined> {
  const verified = await readToken(parts, server, token)
  if (verified === undefined) return undefined
  const { claims } = verified
  const { aud, sid, cid } = claims
  if (!isText(aud) || !isText(sid) || cid !== undefined || hasExpired(parts, claims)) return undefined
  return (await isKeyRevoked(parts, verified)) ? undefined : withSignedIn(parts, claims, sid, aud)
}

/** A refresh token that is neither expired nor consumed, with a live session. */
export async function findLiveRefreshToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<(SignedIn & { readonly refresh: RefreshToken }) | undefined> {
  const now = parts.clock.now()
  const refresh = await findRefreshToken(parts.storage.db, token, now)
  if (refresh === undefined || refresh.consumed || refresh.server !== server.id) return undefined
  const signedIn = await findSignedIn(parts.storage.db, refresh.sessionId, refresh.clientId, now)
  return signedIn && { ...signedIn, refresh }
}

const isText = (value: unknown): value is string => typeof value === 'string'

export const hasExpired = (parts: Parts, { exp }: Claims): boolean =>
  typeof exp !== 'number' || exp * 1000 <= parts.tokenClock.now()

async function withSignedIn(
  parts: Parts,
  claims: Claims,
  sessionId: string,
  clientId: string,
): Promise<LiveToken | undefined> {
  const signedIn = await findSignedIn(parts.storage.db, sessionId, clientId, parts.clock.now())
  return signedIn && { ...signedIn, clientId, claims }
}
