import { randomToken } from '../base/index.ts'
import { lockPerson } from '../directory/index.ts'
import type { Tx } from '../storage/index.ts'
import {
  consumeRefreshToken,
  findRefreshToken,
  insertRefreshToken,
  type RefreshToken,
  revokeFamily,
} from './artifacts.store.ts'
import { oauthError } from './errors.ts'
import { recordGrants, recordRevocation } from './events.ts'
import { type Form, optional, required } from './form.ts'
import { findSignedIn, type Parts, revocationTimes } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { type Issue, newTokenIds, signTokens, type TokenResponse } from './tokens.ts'

// The SDK drops its refresh token on exactly this text (transport, section 7).
const invalidToken = (detail: string) =>
  oauthError('invalid_grant', 'The refresh token is invalid or expired.', { detail })

type Result = { readonly issue: Issue; readonly refreshToken: string } | { readonly refused: Error }

/**
 * The grant `refresh_token`, rotated at every use: the old token is spent and the new one stored in one transaction.
 * A token used twice, in turn or at once, is held by two parties: its whole family ends (RFC 9700, section 4.14.2).
 * User and session are read under the lock of the user's row: a reset or a suspension at the same moment comes before
 * the refresh, which then fails, or after it and ends its session (A49).
 */
export async function grantRefreshToken(
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
): Promise<TokenResponse> {
  const token = required(form, 'refresh_token')
  const scope = optional(form, 'scope')
  await parts.keys.current()
  const result = await parts.storage.transaction<Result>(async (tx) => {
    const now = parts.clock.now()
    const found = await findRefreshToken(tx, token, now)
    if (found === undefined) return { refused: invalidToken('unknown, expired or revoked') }
    if (found.clientId !== clientId || found.server !== server.id) {
      return { refused: invalidToken('of another client or server') }
    }
    const scopes = narrowed(found, scope)
    if (scopes === undefined) {
      return { refused: oauthError('invalid_scope', 'The requested scope goes beyond the one granted.') }
    }
    const person = await lockPerson(tx, found.personId)
    if (found.consumed || !(await consumeRefreshToken(tx, token, now))) {
      return { refused: await punishReuse(tx, parts, found) }
    }
    const signedIn = await findSignedIn(tx, found.sessionId, clientId, now, person)
    if (signedIn === undefined) return { refused: invalidToken('the session has ended') }

    const refreshToken = randomToken(parts.random)
    const { consumed: _, ...content } = found
    await insertRefreshToken(tx, refreshToken, {
      ...content,
      createdAt: now,
      expiresAt: now + parts.lifetimes.refreshTokenMs,
    })
    const issue: Issue = {
      ...signedIn,
      clientId,
      scopes,
      nonce: found.nonce,
      acr: found.acr,
      familyId: found.familyId,
      ...newTokenIds(parts, found.familyId),
    }
    const openid = scopes.includes('openid')
    await recordGrants(tx, parts, { ...issue, familyId: found.familyId, openid, by: 'refresh_token' })
    return { issue, refreshToken }
  })
  if ('refused' in result) throw result.refused
  return { ...(await signTokens(parts, server, result.issue)), refresh_token: result.refreshToken }
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
