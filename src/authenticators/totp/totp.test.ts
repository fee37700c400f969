import { Secret, TOTP } from 'otpauth'
import { describe, expect, test } from 'vitest'
import { insecureSeededRandom } from '../../base/index.ts'
import { newSecret, provisioningUri, stepOfCode } from './code.ts'

// RFC 6238, appendix B, SHA-1: the ASCII secret of RFC 4226, and the last six of the eight digits that it lists.
const secret = Secret.fromUTF8('12345678901234567890').base32
const vectors = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
] as const

const noWindow = { back: 0, forth: 0 }
const codeAt = (now: number) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now })

test.each(vectors)('the code at second %i is that of RFC 6238', (second, digits) => {
  const code = digits.slice(2)
  expect(stepOfCode(code, secret, second * 1000, noWindow)).toBe(Math.floor(second / 30))
})

describe('the window', () => {
  const now = 1_700_000_010_000
  const step = Math.floor(now / 30_000)

  test.each([
    [-2, undefined],
    [-1, step - 1],
    [0, step],
    [1, step + 1],
    [2, undefined],
  ])('at a sign-in, %i steps away', (away, expected) => {
    expect(stepOfCode(codeAt(now + away * 30_000), secret, now, { back: 1, forth: 1 })).toBe(expected)
  })

  test.each([
    [-5, undefined],
    [-4, step - 4],
    [-1, step - 1],
    [1, step + 1],
    [2, undefined],
    [4, undefined],
  ])('at an enrolment, %i steps away', (away, expected) => {
    expect(stepOfCode(codeAt(now + away * 30_000), secret, now, { back: 4, forth: 1 })).toBe(expected)
  })

  test('a step lasts for thirty seconds', () => {
    const start = step * 30_000
    const code = codeAt(start)
    expect(stepOfCode(code, secret, start + 29_999, noWindow)).toBe(step)
    expect(stepOfCode(code, secret, start + 30_000, noWindow)).toBeUndefined()
    expect(stepOfCode(code, secret, start - 1, noWindow)).toBeUndefined()
  })
})

test.each(['', '12345', '1234567', '12345a', ' 12345', '１２３４５６', '-12345', '1e5000'])(
  '%j is no code, whatever the secret',
  (code) => {
    expect(stepOfCode(code, secret, 0, { back: 4, forth: 4 })).toBeUndefined()
  },
)

describe('a new secret', () => {
  test('has 160 bits in base32, upper case, without padding', () => {
    const made = newSecret(insecureSeededRandom('totp'))
    expect(made).toMatch(/^[A-Z2-7]{32}$/)
    expect(newSecret(insecureSeededRandom('another'))).not.toBe(made)
  })

  test('stands first in the text of the picture, with something behind it', () => {
    const uri = provisioningUri('ZR74DHZTG43NBULV', { label: 'mary+1@example.com', issuer: 'Acme & Söhne' })
    expect(uri).toBe(
      'otpauth://totp/Acme%20%26%20S%C3%B6hne:mary%2B1%40example.com?secret=ZR74DHZTG43NBULV&issuer=Acme%20%26%20S%C3%B6hne',
    )
    // Readers that cut the text take what stands between `?secret=` and the next `&`.
    expect(/\?secret=([^&]+)&/.exec(uri)?.[1]).toBe('ZR74DHZTG43NBULV')
    expect(new URL(uri).searchParams.get('issuer')).toBe('Acme & Söhne')
  })
})
