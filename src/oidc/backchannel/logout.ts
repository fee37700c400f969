import { randomToken } from '../../base/index.ts'
import { findClient } from '../../clients/index.ts'
import {
  type LogoutTransport,
  MailRefused,
  type OutgoingLogout,
  queueLogout,
  type RefusalReason,
} from '../../delivery/index.ts'
import { createOutbound, OutboundError, type OutboundOptions } from '../../outbound/index.ts'
import { hasEndedSessions, takeEndedSessions } from '../../sessions/index.ts'
import { logoutTokenType } from '../keys.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'

/** How many sessions that have ended are queued in one database transaction. */
const batch = 100

/** For how long an app that does not answer is tried, in milliseconds: a day. */
const triedMs = 24 * 3_600_000

/** How long a logout token is good, in seconds (OpenID Connect Back-Channel Logout 1.0, section 2.4: at most two minutes). */
const tokenLifetime = 120

/**
 * How long an app is left alone that has not answered, in milliseconds, and after that tried by one call at a time: else each of those that
 * wait for it keeps a hand for all the time that a call may take, and the apps beside it wait a day (A57).
 */
const silentMs = 10_000

const event = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Sends apps the ends of their sessions (OpenID Connect Back-Channel Logout 1.0). The statement that ends a session notes it, a worker of any node
 * queues it in the outbox and sends it: nothing that ends a session waits for an app.
 */
export function createLogoutTransport(
  parts: Parts,
  servers: Readonly<Record<AuthorizationServer['id'], () => AuthorizationServer>>,
  options: OutboundOptions,
): LogoutTransport {
  const outbound = createOutbound(options)
  /** The addresses that have not answered: until when they are left alone, and whether one call tries them again. */
  const silent = new Map<string, { readonly until: number; readonly isTried: boolean }>()

  /** The status that an address answers. */
  async function answered(url: string, signal: AbortSignal | undefined, token: () => Promise<string>) {
    const known = silent.get(url)
    if (known !== undefined && (known.isTried || known.until > parts.clock.now())) {
      throw new MailRefused('the app has not answered a moment ago', { reason: 'deferred' })
    }
    if (known !== undefined) silent.set(url, { ...known, isTried: true })
    try {
      const form = { logout_token: await token() }
      const { status } = await outbound.post({ url, form, signal, statusOnly: true })
      silent.delete(url)
      return status
    } catch (error) {
      silent.set(url, { until: parts.clock.now() + silentMs, isTried: false })
      return asRefusal(error)
    }
  }

  return {
    async prepare() {
      while (await queueEnded(parts)) {}
    },

    async send(logout, signal) {
      const { clientId, issuer } = logout
      // As it is registered now: an address that was wrong, and mended, gets what waits.
      const client = await findClient(parts.storage.db, clientId)
      const url = client?.settings.backchannelLogoutUri
      if (client?.status !== 'ACTIVE' || url === undefined) {
        throw new MailRefused('the app is sent no logout tokens any more', {
          permanent: true,
          reason: 'policy',
        })
      }
      const status = await answered(url, signal, () => signLogoutToken(parts, servers[issuer](), logout))
      // 200 by the specification; frameworks answer an empty body with 204.
      if (status >= 200 && status <= 299) return
      const reason = status >= 500 || status === 429 ? 'deferred' : 'policy'
      throw new MailRefused(`the app answered ${status}`, { reason })
    },
  }
}

/** Queues a batch of what has ended. Answers whether there may be more. */
async function queueEnded({ storage, clock, random, secrets }: Parts): Promise<boolean> {
  if (!(await hasEndedSessions(storage, clock.now()))) return false
  return storage.transaction(async (tx) => {
    const now = clock.now()
    const ended = await takeEndedSessions(tx, storage.kind, { now, limit: batch })
    const clients = new Map(
      await Promise.all(
        [...new Set(ended.map(({ clientId }) => clientId))].map(
          async (id) => [id, await findClient(tx, id)] as const,
        ),
      ),
    )
    for (const { id: sessionId, clientId, personId, issuer } of ended) {
      if (clients.get(clientId)?.settings.backchannelLogoutUri === undefined) continue
      const logout = { clientId, personId, sessionId, issuer, endsAt: now + triedMs }
      await queueLogout(tx, logout, { random, secrets, now })
    }
    return ended.length >= batch
  })
}

/**
 * The logout token of an end. Each attempt has one of its own, with its own id and time: an app may refuse an id that it has seen, and one that is
 * two minutes old. It has no `nonce`, which would make it an ID token.
 */
async function signLogoutToken(
  { keys, random, tokenClock }: Parts,
  { issuer }: AuthorizationServer,
  { clientId, personId, sessionId }: OutgoingLogout,
): Promise<string> {
  const issuedAt = Math.floor(tokenClock.now() / 1000)
  // A key that was revoked while this waited signs nothing any more.
  await keys.current()
  return keys.sign(
    {
      iss: issuer,
      sub: personId,
      aud: clientId,
      iat: issuedAt,
      exp: issuedAt + tokenLifetime,
      jti: `LT.${randomToken(random)}`,
      events: { [event]: {} },
      sid: sessionId,
    },
    { typ: logoutTokenType },
  )
}

const reasons: Readonly<Record<OutboundError['reason'], RefusalReason>> = {
  address: 'policy',
  connection: 'connection',
  unanswered: 'unanswered',
  answer: 'policy',
}

function asRefusal(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error
  throw new MailRefused(error.message, { reason: reasons[error.reason], cause: error })
}
