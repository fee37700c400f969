import { Secret, TOTP } from 'otpauth'
import type { Random } from '../../base/index.ts'

/** The one form that all apps read: SHA-1, six digits, thirty seconds. */
const parameters = { algorithm: 'SHA1', digits: 6, period: 30 } as const
const periodMs = parameters.period * 1000

/** A secret of 160 bits (RFC 4226, section 4), in base32 without padding. */
export const newSecret = (random: Random): string =>
  new Secret({ buffer: Uint8Array.from(random.bytes(20)).buffer }).base32

/** What the picture says: `secret` first and something behind it, for readers that cut it out of the text. */
export const provisioningUri = (
  secret: string,
  { label, issuer }: { readonly label: string; readonly issuer: string },
): string =>
  `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(label)}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`

/**
 * The time step that a code is of, within so many steps of now; undefined where it is of none. Compares with every step
 * of the window in constant time.
 */
export function stepOfCode(
  code: string,
  secret: string,
  now: number,
  { back, forth }: { readonly back: number; readonly forth: number },
): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  const totp = new TOTP({ ...parameters, secret: Secret.fromBase32(secret) })
  const window = Math.max(back, forth)
  const delta = totp.validate({ token: code, timestamp: now, window })
  if (delta === null || delta < -back || delta > forth) return undefined
  return Math.floor(now / periodMs) + delta
}
