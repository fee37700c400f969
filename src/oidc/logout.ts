import { isLogoutUriRegistered } from '../clients/index.ts'
import { revokeParentOf, revokeSession } from '../sessions/index.ts'
import { findActiveClient } from './client-auth.ts'
import { invalidRequest } from './errors.ts'
import { recordSignOut } from './events.ts'
import { type Form, optional, required } from './form.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { isKeyRevoked, readHint } from './token-status.ts'

/**
 * Revokes the session of an ID token and answers the address to redirect to, or undefined where the client gave none
 * (OpenID Connect RP-Initiated Logout 1.0). An ID token that has expired, or whose key was rotated away, is
 * accepted (section 2): its session may still be live. That of a revoked key is not, nor that of another client than a
 * request names.
 */
export async function logout(
  parts: Parts,
  server: AuthorizationServer,
  form: Form,
): Promise<string | undefined> {
  const hint = await readHint(parts, server, required(form, 'id_token_hint'))
  const { aud, sid, cid } = hint?.claims ?? {}
  const isIdToken = typeof aud === 'string' && typeof sid === 'string' && cid === undefined
  if (hint === undefined || !isIdToken || (await isKeyRevoked(parts, hint))) {
    throw invalidRequest("The 'id_token_hint' parameter is not an ID token of this server.")
  }
  if ((optional(form, 'client_id') ?? aud) !== aud) {
    throw invalidRequest("The 'client_id' parameter is not the client of the ID token.")
  }
  const returnTo = await readReturnAddress(parts, form, aud)
  await parts.storage.transaction(async (tx) => {
    const ended = await revokeSession(tx, sid, parts.clock.now())
    if (ended === undefined) return
    // What the browser has proven answers no other app after it (A71).
    await revokeParentOf(tx, ended, parts.clock.now())
    await recordSignOut(tx, parts, ended)
  })
  return returnTo
}

/** Checked before the session is revoked, and compared as text: only registered addresses are redirected to (A30). */
async function readReturnAddress(parts: Parts, form: Form, clientId: string): Promise<string | undefined> {
  const client = await findActiveClient(parts.storage.db, clientId)
  const uri = optional(form, 'post_logout_redirect_uri')
  // An app that is deactivated has no address to return to; the session ends all the same.
  if (client === undefined || uri === undefined) return undefined
  if (!isLogoutUriRegistered(client, uri)) {
    throw invalidRequest(
      "The 'post_logout_redirect_uri' parameter must be one of the client's registered sign-out redirect URIs.",
    )
  }
  const state = optional(form, 'state')
  // Appended as text: to parse and print the registered address could change it.
  return state === undefined ? uri : `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
}
