import { isoTime } from '../base/index.ts'
import type { BrowserSession } from './browser-sessions.store.ts'

/** The session of a browser in Okta's shape, as far as okta-auth-js reads it; its callers add the links, without which that fails. */
export function shownSession(
  { id, personId, details, createdAt, expiresAt, usedAt, idleMs }: BrowserSession,
  login: string,
) {
  const proofs = details.proofs ?? []
  const last = (isPassword: boolean) =>
    Math.max(0, ...proofs.flatMap(({ type, at }) => ((type === 'password') === isPassword ? [at] : [])))
  const shown = (at: number) => (at === 0 ? null : isoTime(at))
  return {
    ...{ id, userId: personId, login, createdAt: isoTime(createdAt) },
    expiresAt: isoTime(Math.min(expiresAt, usedAt + idleMs)),
    status: 'ACTIVE',
    lastPasswordVerification: shown(last(true)),
    lastFactorVerification: shown(last(false)),
    amr: details.amr,
    mfaActive: details.amr.includes('mfa'),
  }
}
