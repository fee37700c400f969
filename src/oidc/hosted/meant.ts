import type { BrowserSession } from '../../sessions/index.ts'
import { invalidRequest } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { isKeyRevoked, readHint } from '../token-status.ts'

/**
 * The id of the user whom the app expects (OpenID Connect Core 1.0, section 3.1.2.1); undefined: any. A hint
 * is not looked up, and says nothing that its holder does not know (A73).
 */
export async function readMeantUser(
  parts: Parts,
  server: AuthorizationServer,
  idTokenHint: string | undefined,
): Promise<string | undefined> {
  if (idTokenHint === undefined) return undefined
  const hint = await readHint(parts, server, idTokenHint)
  const { cid, sub } = hint?.claims ?? {}
  if (
    hint === undefined ||
    cid !== undefined ||
    typeof sub !== 'string' ||
    (await isKeyRevoked(parts, hint))
  ) {
    throw invalidRequest("The 'id_token_hint' parameter is not an ID token of this server.")
  }
  return sub
}

/** Whether the session, if there is one, is that of the user whom the app expects, if it expects one. */
export const isMeant = (
  session: Pick<BrowserSession, 'personId'> | undefined,
  user: string | undefined,
): boolean => user === undefined || session === undefined || session.personId === user
