import { lockPerson } from '../../directory/index.ts'
import type { Interaction } from '../../interactions/index.ts'
import { reachedLevel } from '../../policies/index.ts'
import { findSession, setSessionEnd } from '../../sessions/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { oauthError } from '../errors.ts'
import { recordGrants } from '../events.ts'
import { findSignedIn, type Parts } from '../parts.ts'
import { stillGranted } from '../scope-grants.ts'
import type { AuthorizationServer } from '../server.ts'
import { type Issue, newTokenIds, signFrontTokens } from '../tokens.ts'
import type { Answer } from './response.ts'
import { askedBy, hasTokens, refuseUnbound } from './response-types.ts'

/**
 * The members of an answer to the app: the code, or what else its response type asks for. Of an answer
 * without a code none leaves, and the one that was made is known to no other.
 *
 * @throws ProtocolError where the session ended in between, its user may not use the app any more, or the app takes no such tokens any more
 */
export async function membersFor(
  parts: Parts,
  server: AuthorizationServer,
  { interaction, code }: { readonly interaction: Interaction; readonly code: string },
): Promise<Answer> {
  const type = interaction.request.hosted?.responseType
  // Of an enrolment nothing leaves: its code is known to no one, and the app's session ends with it.
  if (type === 'none') return {}
  if (!hasTokens(type)) return { code }
  const asked = askedBy(type)
  const { clientId, request } = interaction
  // What may fail without the session's doing fails before anything is written. The app may have changed while its user was asked.
  const client = await findActiveClient(parts.storage.db, clientId)
  if (client !== undefined) refuseUnbound(type, client)
  await parts.keys.current()
  const issue = await parts.storage.transaction(async (tx): Promise<Issue | undefined> => {
    const now = parts.clock.now()
    const begun = await findSession(tx, interaction.sessionId ?? '', now)
    const person = begun && (await lockPerson(tx, begun.personId))
    const signedIn = begun && (await findSignedIn(tx, begun.id, clientId, now, person))
    if (signedIn === undefined) return undefined
    const { session } = signedIn
    // The tokens live as long as the session of an app: without a code there is no redemption that says that
    // the app has come for it.
    await setSessionEnd(tx, session.id, session.createdAt + parts.lifetimes.sessionMs)
    const granted = await stillGranted(tx, clientId, request.scope.split(' '))
    const made: Issue = {
      ...signedIn,
      clientId,
      // No refresh token leaves through a browser (OpenID Connect Core 1.0, section 11).
      scopes: granted.filter((scope) => asked.code || scope !== 'offline_access'),
      acr: reachedLevel(request.acrValues, session.details),
      nonce: request.nonce,
      ...newTokenIds(parts, undefined),
    }
    const kinds = { openid: asked.idToken, accessToken: asked.accessToken }
    await recordGrants(tx, parts, { ...made, familyId: undefined, ...kinds, by: 'implicit' })
    return made
  })
  if (issue === undefined) throw oauthError('access_denied', 'The session has ended.')
  return signFrontTokens(parts, server, issue, { ...asked, code: asked.code ? code : undefined })
}
