import { browserSecretIn } from '../base/index.ts'
import { findPerson, maskName } from '../directory/index.ts'
import { type FlowParts, findHeldLink, type HeldLink } from '../flow/index.ts'
import { transactionsIn } from '../interactions/index.ts'
import type { OwnPages } from '../oidc/index.ts'

/** As many cookies of transactions as are looked at: a browser has fewer of the engine's. */
const mostHandles = 10

/** Whether a browser, by its cookies, holds the transaction of a mailed link. */
export function heldLink(
  parts: FlowParts,
  base: string,
  {
    clientId,
    token,
    cookies,
  }: {
    readonly clientId: string
    readonly token: string
    readonly cookies: string | undefined
  },
): Promise<HeldLink | undefined> {
  const isSecure = base.startsWith('https:')
  return findHeldLink(
    parts,
    { clientId, token },
    {
      handles: transactionsIn(cookies, { isSecure }).slice(0, mostHandles),
      browser: browserSecretIn(cookies, isSecure),
    },
  )
}

/**
 * Who is signed in in a browser that opens a link for another user, and who that is, masked. Undefined where it is the same one, and where the
 * browser has no session: a stranger learns nothing.
 */
export async function otherUser(
  { storage: { db } }: Pick<FlowParts, 'storage'>,
  { findUserId }: Pick<OwnPages, 'findUserId'>,
  userId: string | undefined,
  cookies: string | undefined,
): Promise<{ readonly user: string; readonly other: string } | undefined> {
  if (userId === undefined || cookies === undefined) return undefined
  const own = await findUserId(cookies)
  if (own === undefined || own === userId) return undefined
  const [user, other] = await Promise.all([findPerson(db, own), findPerson(db, userId)])
  return user && other && { user: user.profile.login, other: maskName(other.profile.login) }
}
