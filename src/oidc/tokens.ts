import { randomToken, s256 } from '../base/index.ts'
import { claimSources } from './claim-sources.ts'
import { claimsOf } from './claims.ts'
import { type Parts, type SignedIn, tokenSeconds } from './parts.ts'
import type { AuthorizationServer } from './server.ts'

/** The parameters of issued tokens. */
export interface Issue extends SignedIn {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly nonce?: string | undefined
  readonly acr?: string | undefined
  /** Set where a refresh token is issued too: the access token is then revoked with the family. */
  readonly familyId?: string | undefined
  readonly accessTokenId: string
  readonly idTokenId: string
  /** The thumbprint of the key that the access token is bound to; absent: none. */
  readonly jkt?: string | undefined
}

/** The response of the token endpoint. Without `state`: the SDK refuses one that it did not send. */
export interface TokenResponse {
  readonly token_type: 'Bearer' | 'DPoP'
  readonly expires_in: number
  readonly access_token: string
  readonly scope: string
  readonly refresh_token?: string
  readonly id_token?: string
}

/**
 * Ids for an access token and an ID token. As in Okta's tokens the access token's contains the id of its family: one row
 * revokes a family, however many access tokens it has.
 */
export const newTokenIds = ({ random }: Parts, familyId: string | undefined) => ({
  accessTokenId: `AT.${randomToken(random)}${familyId === undefined ? '' : `.${familyId}`}`,
  idTokenId: `ID.${randomToken(random)}`,
})

/** The ids under which an access token may be revoked: its own and its family's. */
export function revocableIds(jti: string): readonly string[] {
  const familyId = jti.split('.')[2]
  return familyId === undefined ? [jti] : [jti, familyId]
}

/** Signs the access token and, for `openid`, the ID token. */
export async function signTokens(
  parts: Parts,
  server: AuthorizationServer,
  issue: Issue,
): Promise<Omit<TokenResponse, 'refresh_token'>> {
  const times = timesOf(parts, issue)
  const accessToken = await signAccessToken(parts, server, issue, times)
  return {
    token_type: issue.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: times.lifetime,
    access_token: accessToken,
    scope: issue.scopes.join(' '),
    ...(issue.scopes.includes('openid') && {
      id_token: await signIdToken(parts, server, issue, { ...times, accessToken }),
    }),
  }
}

/** What of an answer to a browser is signed: the ID token names what stands beside it (OpenID Connect Core 1.0, section 3.3.2.11). */
export async function signFrontTokens(
  parts: Parts,
  server: AuthorizationServer,
  issue: Issue,
  asked: { readonly code: string | undefined; readonly idToken: boolean; readonly accessToken: boolean },
): Promise<Readonly<Record<string, string | undefined>>> {
  const times = timesOf(parts, issue)
  const { code } = asked
  const accessToken = asked.accessToken ? await signAccessToken(parts, server, issue, times) : undefined
  return {
    code,
    ...(accessToken !== undefined && {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: String(times.lifetime),
      scope: issue.scopes.join(' '),
    }),
    ...(asked.idToken && {
      id_token: await signIdToken(parts, server, issue, { ...times, accessToken, code }),
    }),
  }
}

interface Times {
  /** In seconds. */
  readonly issuedAt: number
  readonly authTime: number
  readonly lifetime: number
}

function timesOf(parts: Parts, { session }: Issue): Times {
  const issuedAt = Math.floor(parts.tokenClock.now() / 1000)
  const authTime = Math.min(tokenSeconds(parts, session.details.authTime ?? session.createdAt), issuedAt)
  return { issuedAt, authTime, lifetime: Math.floor(parts.lifetimes.accessTokenMs / 1000) }
}

const signAccessToken = (
  parts: Parts,
  server: AuthorizationServer,
  issue: Issue,
  { issuedAt, authTime, lifetime }: Times,
): Promise<string> =>
  parts.keys.sign({
    ver: 1,
    jti: issue.accessTokenId,
    iss: server.issuer,
    aud: server.audience,
    sub: issue.person.profile.login,
    iat: issuedAt,
    exp: issuedAt + lifetime,
    cid: issue.clientId,
    uid: issue.person.id,
    scp: issue.scopes,
    auth_time: authTime,
    // An API that asks for a level by RFC 9470 reads it here.
    acr: issue.acr,
    sid: issue.session.id,
    ...(issue.jkt !== undefined && { cnf: { jkt: issue.jkt } }),
  })

/** What an ID token is answered with. */
interface Beside {
  readonly accessToken: string | undefined
  readonly code?: string | undefined
}

async function signIdToken(
  parts: Parts,
  server: AuthorizationServer,
  issue: Issue,
  { issuedAt, authTime, accessToken, code }: Omit<Times, 'lifetime'> & Beside,
): Promise<string> {
  const { person, session } = issue
  const claims = await claimsOf(person, issue.scopes, claimSources(parts.storage.db, person.id))
  return parts.keys.sign({
    ...claims,
    sub: person.id,
    ver: 1,
    iss: server.issuer,
    aud: issue.clientId,
    iat: issuedAt,
    exp: issuedAt + Math.floor(parts.lifetimes.idTokenMs / 1000),
    jti: issue.idTokenId,
    amr: session.details.amr,
    auth_time: authTime,
    at_hash: accessToken && leftHalf(s256(accessToken)),
    c_hash: code && leftHalf(s256(code)),
    sid: session.id,
    nonce: issue.nonce,
    acr: issue.acr,
  })
}

/** The left half of a hash in base64url (OpenID Connect Core 1.0, section 3.1.3.6). */
const leftHalf = (hash: string): string =>
  Buffer.from(hash, 'base64url').subarray(0, 16).toString('base64url')
