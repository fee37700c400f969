import { describe, expect, test } from 'vitest'
import { ownerProof } from './own-changes.ts'

const day = 86_400_000
const at = { now: 100 * day, settledMs: day, recovering: ['okta_email'] }
const app = { id: 'uft1', authenticator: 'google_otp', createdAt: 10 * day }
const phone = { id: 'sms1', authenticator: 'phone_number', createdAt: 99.5 * day }
const other = { ...phone, id: 'sms2' }
const byApp = { authenticator: 'google_otp', enrollmentId: 'uft1' }
const byPhone = { authenticator: 'phone_number', enrollmentId: 'sms1' }
const byPassword = { authenticator: 'okta_password' }

describe('a user who never recovered the account', () => {
  test.each([
    ['has no factor', [], [byPassword], 'none'],
    ['has one and proved the password', [app], [byPassword], 'unproven'],
    ['has one and proved it', [app], [byPassword, byApp], 'proven'],
    ['has one and proved it without its id', [app], [{ authenticator: 'google_otp' }], 'proven'],
    [
      'has two of a kind, and a proof that names neither',
      [phone, other],
      [{ authenticator: 'phone_number' }],
      'unproven',
    ],
  ] as const)('%s: %s', (_, own, proofs, expected) => {
    expect(ownerProof({}, own, proofs, at)).toBe(expected)
  })
})

describe('a user who has recovered the account', () => {
  const recovered = { recoveredAt: 99 * day }
  test.each([
    ['has none', [], [byPassword], 'none'],
    ['has an older one that was not proven', [app, phone], [byPassword, byPhone], 'unproven'],
    ['has an older one that was proven', [app, phone], [byApp], 'proven'],
    ['has a newer one alone, of today', [phone], [byPhone], 'unproven'],
    [
      'has a newer one alone, that has stood for a day',
      [{ ...phone, createdAt: 99 * day }],
      [byPhone],
      'proven',
    ],
    ['has such a one and did not prove it', [{ ...phone, createdAt: 99 * day }], [byPassword], 'unproven'],
  ] as const)('%s: %s', (_, own, proofs, expected) => {
    expect(ownerProof(recovered, own, proofs, at)).toBe(expected)
  })

  test.each([
    ['proves nothing on the day of it', 0, 'unproven'],
    ['proves the user again from a day after it', day, 'proven'],
  ] as const)('A76: what may begin a recovery %s', (_, later, expected) => {
    const older = { ...phone, createdAt: 10 * day }
    const rules = {
      now: recovered.recoveredAt + day / 2 + later,
      settledMs: day,
      recovering: ['phone_number'],
    }
    expect(ownerProof(recovered, [older], [byPhone], rules)).toBe(expected)
    expect(ownerProof(recovered, [older, app], [byPhone], rules)).toBe('unproven')
    expect(ownerProof(recovered, [older, app], [byApp], rules)).toBe('proven')
  })
})
