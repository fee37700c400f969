import { apiError, isoTime } from '../base/index.ts'
import { findPerson } from '../directory/index.ts'
import type { Input } from '../flow/index.ts'
import { findLiveBrowserSession } from '../sessions/index.ts'
import type { ClassicParts } from './parts.ts'
import { required } from './read.ts'

/**
 * Begins a session by a session token for a server with an API token (`POST /api/v1/sessions`). No browser gets its cookie: it can be read and
 * ended by its id alone. Throws 401 `E0000011` where the token is not good.
 */
export async function createSession(parts: ClassicParts, body: Input): Promise<object> {
  const { storage, clock, browserIdleMs: idleMs, browserSessionMs: absoluteMs } = parts
  const token = required(body, 'sessionToken')
  // The server is trusted with tokens of every browser, as it has got this one from its own user.
  const redeemed = await parts.redeemSessionToken(token, { browser: { any: true }, absoluteMs })
  const session =
    redeemed && (await findLiveBrowserSession(storage.db, redeemed.id, { now: clock.now(), idleMs }))
  const person = session && (await findPerson(storage.db, session.personId))
  if (session === undefined || person === undefined) throw apiError('E0000011')
  const { id, personId: userId, createdAt, expiresAt, usedAt, details } = session
  const last = (isPassword: boolean) => {
    const times = (details.proofs ?? []).flatMap(({ type, at }) =>
      (type === 'password') === isPassword ? [at] : [],
    )
    return times.length === 0 ? null : isoTime(Math.max(...times))
  }
  const { login } = person.profile
  const href = `${parts.baseUrl()}/api/v1/sessions/${id}`
  return {
    ...{ id, userId, login, createdAt: isoTime(createdAt) },
    expiresAt: isoTime(Math.min(expiresAt, usedAt + session.idleMs)),
    status: 'ACTIVE',
    lastPasswordVerification: last(true),
    lastFactorVerification: last(false),
    amr: details.amr,
    mfaActive: details.amr.includes('mfa'),
    _links: {
      self: { href, hints: { allow: ['GET', 'DELETE'] } },
      refresh: { href: `${href}/lifecycle/refresh`, hints: { allow: ['POST'] } },
      user: {
        name: login,
        href: `${parts.baseUrl()}/api/v1/users/${userId}`,
        hints: { allow: ['GET'] },
      },
    },
  }
}
