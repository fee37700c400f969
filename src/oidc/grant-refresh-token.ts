import { plainHash, randomToken } from '../base/index.ts'
import { type Client, defaultRefreshTokenLeeway, isConfidential } from '../clients/index.ts'
import { findMember, lockPerson } from '../directory/index.ts'
import type { Tx } from '../storage/index.ts'
import {
  consumeRefreshToken,
  findRefreshToken,
  findSuccessor,
  insertRefreshToken,
  insertSuccessor,
  type RefreshToken,
  revokeFamily,
} from './artifacts.store.ts'
import { findActiveClient } from './client-auth.ts'
import { oauthError } from './errors.ts'
import { recordGrants, recordRevocation } from './events.ts'
import { type Form, optional, required } from './form.ts'
import { findSignedIn, type Parts, revocationTimes } from './parts.ts'
import { stillGranted } from './scope-grants.ts'
import type { AuthorizationServer } from './server.ts'
import { type Issue, newTokenIds, signTokens, type TokenResponse } from './tokens.ts'

// The SDK drops its refresh token on exactly this text (transport, section 7).
const invalidToken = (detail: string) =>
  oauthError('invalid_grant', 'The refresh token is invalid or expired.', { detail })

const refusedByPolicy = () => invalidToken('a policy denies access to the app')

const otherKey = () =>
  oauthError('invalid_dpop_proof', 'The refresh token is bound to the key of another DPoP proof.')

const beyondGrant = () => oauthError('invalid_scope', 'The requested scope goes beyond the one granted.')

type Result = { readonly issue: Issue; readonly refreshToken: string } | { readonly refused: Error }

/**
 * The grant `refresh_token`, rotated at every use: the old token is spent and the new one stored in one transaction.
 *
 * A response can be lost, and two tabs can refresh at once: within the app's leeway the spent token is answered with the
 * same successor again, as long as that one was not used, so that a family has one valid token. Any other second use means
 * that two parties hold the token: its whole family ends (RFC 9700, section 4.14.2).
 *
 * User and session are read under the lock of the user's row: a reset or a suspension at the same moment comes before
 * the refresh, which then fails, or after it and ends its session (A49).
 */
export async function grantRefreshToken(
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
  jkt?: string,
): Promise<TokenResponse> {
  const token = required(form, 'refresh_token')
  const scope = optional(form, 'scope')
  await parts.keys.current()
  const client = await findActiveClient(parts.storage.db, clientId)
  const leeway = 1000 * (client?.settings.refreshTokenLeeway ?? defaultRefreshTokenLeeway)
  const denied = await isDenied(parts, token, client)
  // A public app has nothing but its key: from the first proof on its refresh tokens are bound to it (RFC 9449, section 5).
  const key = client !== undefined && isConfidential(client) ? undefined : jkt
  const result = await parts.storage.transaction<Result>(async (tx) => {
    const now = parts.clock.now()
    const found = await findRefreshToken(tx, token, now)
    if (found === undefined) return { refused: invalidToken('unknown, expired or revoked') }
    const isOthers = found.clientId !== clientId || found.server !== server.id
    if (isOthers && !found.consumed) return { refused: invalidToken('of another client or server') }
    // Without its key a refresh token is worth nothing, not even to end its family by a second use (RFC 9449, section 5).
    if (found.jkt !== undefined && found.jkt !== jkt) return { refused: otherKey() }
    const scopes = narrowed(found, scope)
    // What else is wrong with a request is answered once its token is known not to be used again: a thief who also asks
    // for too much would otherwise go unnoticed (A31).
    if (denied && !found.consumed) return { refused: refusedByPolicy() }
    if (scopes === undefined && !found.consumed) return { refused: beyondGrant() }
    const person = await lockPerson(tx, found.personId)
    const signedIn = await findSignedIn(tx, found.sessionId, clientId, now, person)
    if (signedIn === undefined && !found.consumed) return { refused: invalidToken('the session has ended') }
    const refreshToken = isOthers ? undefined : await rotate(tx, parts, token, found, { leeway, key })
    if (refreshToken === undefined) return { refused: await punishReuse(tx, parts, found) }
    if (denied) return { refused: refusedByPolicy() }
    if (scopes === undefined) return { refused: beyondGrant() }
    if (signedIn === undefined) return { refused: invalidToken('the session has ended') }
    const issue: Issue = {
      ...signedIn,
      clientId,
      scopes: await stillGranted(tx, clientId, scopes),
      nonce: found.nonce,
      acr: found.acr,
      familyId: found.familyId,
      jkt,
      ...newTokenIds(parts, found.familyId),
    }
    const openid = scopes.includes('openid')
    await recordGrants(tx, parts, { ...issue, familyId: found.familyId, openid, by: 'refresh_token' })
    return { issue, refreshToken }
  })
  if ('refused' in result) throw result.refused
  return { ...(await signTokens(parts, server, result.issue)), refresh_token: result.refreshToken }
}

/**
 * Whether a policy denies the app to the token's user by now: it ends what was granted before. Asked before the
 * transaction, since policies are read over a connection of their own.
 */
async function isDenied(
  { storage: { db }, clock, policies }: Parts,
  token: string,
  client: Client | undefined,
) {
  const found = await findRefreshToken(db, token, clock.now())
  if (found === undefined || client === undefined) return false
  const { groupIds } = await findMember(db, found.personId)
  const { signOn } = await policies.for(
    { groupIds, personId: found.personId },
    { accessPolicyId: client.settings.accessPolicyId, clientId: client.id },
  )
  return signOn.access === 'DENY'
}

/** What the sealed successor of a refresh token is for: the seal of one opens for no other token. */
const sealOf = (token: string): string => `successor of refresh token ${plainHash(token)}`

/**
 * Spends a refresh token; answers its successor. Where it was spent before: the same successor, within the leeway and
 * while that one is unused; else undefined. Of parallel calls one stores the successor, by one conditional statement.
 */
async function rotate(
  tx: Tx,
  { secrets, random, clock, lifetimes }: Parts,
  token: string,
  { consumed, ...content }: RefreshToken & { readonly consumed: boolean },
  { leeway, key }: { readonly leeway: number; readonly key: string | undefined },
): Promise<string | undefined> {
  const now = clock.now()
  const bound = content.jkt ?? key
  if (!consumed && (await consumeRefreshToken(tx, token, now))) {
    const successor = randomToken(random)
    const expiresAt = now + lifetimes.refreshTokenMs
    await insertRefreshToken(tx, successor, {
      ...content,
      ...(bound !== undefined && { jkt: bound }),
      createdAt: now,
      expiresAt,
    })
    if (leeway > 0) {
      const { familyId } = content
      const sealed = secrets.seal(sealOf(token), successor)
      await insertSuccessor(tx, token, { sealed, familyId, now, until: now + leeway })
    }
    return successor
  }
  const sealed = await findSuccessor(tx, token, now)
  const successor = sealed === undefined ? undefined : secrets.open(sealOf(token), sealed)
  const stored = successor === undefined ? undefined : await findRefreshToken(tx, successor, now)
  if (stored === undefined || stored.consumed) return undefined
  // Bound by the first of two uses: who makes the second one without that key is another party.
  return stored.jkt === undefined || stored.jkt === bound ? successor : undefined
}

/** The scopes asked for, all of which must have been granted; the whole grant where none is asked. */
function narrowed(granted: RefreshToken, asked: string | undefined): readonly string[] | undefined {
  const all = granted.scope.split(' ')
  if (asked === undefined) return all
  const wanted = [...new Set(asked.split(' ').filter(Boolean))]
  return wanted.every((scope) => all.includes(scope)) ? wanted : undefined
}

async function punishReuse(tx: Tx, parts: Parts, token: RefreshToken): Promise<Error> {
  await revokeFamily(tx, token.familyId, revocationTimes(parts))
  await recordRevocation(tx, parts, {
    event: 'detect_reuse',
    kind: 'refresh_token',
    personId: token.personId,
    clientId: token.clientId,
    id: token.familyId,
  })
  return invalidToken('used before')
}
