import { randomId, randomToken } from '../base/index.ts'
import { isConfidential } from '../clients/index.ts'
import { type CodeKind, type Interaction, redeemInteractionCode } from '../interactions/index.ts'
import { reachedLevel } from '../policies/index.ts'
import { revokeSession, setSessionEnd } from '../sessions/index.ts'
import { type Tx, together } from '../storage/index.ts'
import { insertRefreshToken } from './artifacts.store.ts'
import { findActiveClient } from './client-auth.ts'
import { lockOwnerOfCode } from './code-owner.store.ts'
import { oauthError } from './errors.ts'
import { recordGrants, recordRevocation } from './events.ts'
import { type Form, optional, required } from './form.ts'
import { findSignedIn, type Parts, type SignedIn, signedInBy } from './parts.ts'
import { stillGranted } from './scope-grants.ts'
import type { AuthorizationServer } from './server.ts'
import { findLiveSessionOfCode } from './signed-in.store.ts'
import { type Issue, newTokenIds, signTokens, type TokenResponse } from './tokens.ts'

const invalidCode = (kind: CodeKind, detail: string) =>
  oauthError('invalid_grant', `The ${kind} code is invalid or has expired.`, { detail })

const ofOtherKey = oauthError('invalid_grant', 'The code is bound to the key of another DPoP proof.')

/** The grant `authorization_code`: a code of `authorize`, which repeats the address that it was sent to. */
export const grantAuthorizationCode: typeof grantInteractionCode = (parts, server, clientId, form, jkt) =>
  grantCode(parts, server, {
    jkt,
    kind: 'authorization',
    code: required(form, 'code'),
    // Needed where the request had a challenge: without it the code is not redeemed.
    codeVerifier: optional(form, 'code_verifier'),
    redirectUri: required(form, 'redirect_uri'),
    clientId,
    issuer: server.id,
  })

type Result =
  | { readonly issue: Issue; readonly refreshToken: string | undefined }
  | { readonly refused: Error }

/**
 * The grant `interaction_code`: a code for tokens, once. Its use, the refresh token and the events are one transaction.
 * A second use means that two parties hold the code, so whatever came of the first ends (RFC 6749, section 4.1.2).
 * The lock of the user's row comes first, as in every transaction about a user: what is read after it, status and
 * session, stands until the tokens are written (A49).
 */
export async function grantInteractionCode(
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
  jkt?: string,
): Promise<TokenResponse> {
  return grantCode(parts, server, {
    jkt,
    kind: 'interaction',
    code: required(form, 'interaction_code'),
    codeVerifier: required(form, 'code_verifier'),
    redirectUri: optional(form, 'redirect_uri'),
    clientId,
    issuer: server.id,
  })
}

type Claim = Parameters<typeof redeemInteractionCode>[1] & {
  readonly kind: CodeKind
  /** The thumbprint of the key that the tokens are bound to. */
  readonly jkt: string | undefined
}

async function grantCode(parts: Parts, server: AuthorizationServer, claim: Claim): Promise<TokenResponse> {
  const { kind, clientId, jkt } = claim
  const client = await findActiveClient(parts.storage.db, clientId)
  // A confidential client proves itself at each refresh: it may change its key (RFC 9449, section 5).
  const key = { jkt, refreshedBy: client !== undefined && isConfidential(client) ? undefined : jkt }
  // What may fail without the code's doing fails before it is spent.
  await parts.keys.current()
  const result = await parts.storage.transaction<Result>(async (tx) => {
    const now = parts.clock.now()
    // The database runs them one after the other, in this order: the lock comes first, and they travel together.
    const locking = lockOwnerOfCode(tx, claim.code, parts.secrets, kind)
    const redeeming = redeemInteractionCode(tx, claim, { secrets: parts.secrets, now })
    const reading = findLiveSessionOfCode(tx, claim, { secrets: parts.secrets, now })
    await together<unknown>([locking, redeeming, reading])
    const [person, redemption, live] = [await locking, await redeeming, await reading]
    if (redemption.result === 'used')
      return { refused: await punishReplay(tx, parts, redemption.interaction, kind) }
    if (redemption.result === 'refused') {
      const { reason } = redemption
      return {
        refused:
          reason === 'verifier'
            ? oauthError('invalid_grant', 'PKCE verification failed.')
            : invalidCode(kind, reason),
      }
    }
    const { interaction } = redemption
    const { dpopJkt } = interaction.request
    // Thrown, so that who has the code without its key does not spend it either.
    if (dpopJkt !== undefined && dpopJkt !== jkt) throw ofOtherKey
    const signedIn = await signedInBy(tx, live, clientId, person)
    if (signedIn === undefined) return { refused: invalidCode(kind, 'the session has ended') }
    if (kind === 'authorization') {
      // Until now it lived no longer than its code: of a silent sign-in that no app comes for nothing stays.
      const { id, createdAt } = signedIn.session
      await setSessionEnd(tx, id, createdAt + parts.lifetimes.sessionMs)
    }
    return issueFor(tx, parts, interaction, signedIn, { kind, ...key })
  })
  if ('refused' in result) throw result.refused
  const tokens = await signTokens(parts, server, result.issue)
  return { ...tokens, ...(result.refreshToken !== undefined && { refresh_token: result.refreshToken }) }
}

async function punishReplay(tx: Tx, parts: Parts, interaction: Interaction, kind: CodeKind): Promise<Error> {
  const { sessionId, clientId } = interaction
  const now = parts.clock.now()
  const session = await findSignedIn(tx, sessionId ?? '', clientId, now)
  if (session !== undefined) {
    await revokeSession(tx, session.session.id, now)
    await recordRevocation(tx, parts, {
      event: 'detect_reuse',
      kind: `${kind}_code`,
      personId: session.person.id,
      clientId,
      id: interaction.id,
    })
  }
  return invalidCode(kind, 'used before')
}

async function issueFor(
  tx: Tx,
  parts: Parts,
  { issuer: server, clientId, request }: Interaction,
  signedIn: SignedIn,
  {
    kind,
    jkt,
    refreshedBy,
  }: {
    readonly kind: CodeKind
    readonly jkt: string | undefined
    readonly refreshedBy: string | undefined
  },
): Promise<Result> {
  const now = parts.clock.now()
  const scopes = await stillGranted(tx, clientId, request.scope.split(' '))
  const acr = reachedLevel(request.acrValues, signedIn.session.details)
  const offline = scopes.includes('offline_access')
  const familyId = offline ? randomId(parts.random, 'oar') : undefined
  const refreshToken = offline ? randomToken(parts.random) : undefined
  const issue: Issue = {
    ...signedIn,
    clientId,
    scopes,
    acr,
    familyId,
    nonce: request.nonce,
    jkt,
    ...newTokenIds(parts, familyId),
  }
  if (refreshToken !== undefined && familyId !== undefined) {
    await insertRefreshToken(tx, refreshToken, {
      clientId,
      server,
      familyId,
      acr,
      ...(refreshedBy !== undefined && { jkt: refreshedBy }),
      personId: signedIn.person.id,
      sessionId: signedIn.session.id,
      scope: request.scope,
      nonce: request.nonce,
      createdAt: now,
      expiresAt: now + parts.lifetimes.refreshTokenMs,
    })
  }
  const openid = scopes.includes('openid')
  await recordGrants(tx, parts, { ...issue, familyId, openid, by: `${kind}_code` })
  return { issue, refreshToken }
}
