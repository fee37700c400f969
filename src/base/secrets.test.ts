import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import {
  constantTimeEqual,
  createSecrets,
  derivedId,
  openUnder,
  plainHash,
  s256,
  sealUnder,
} from './secrets.ts'

const old = 'the secret of last year, long enough'
const now = 'the secret of this year, long enough'
const secrets = createSecrets([now])

describe('a keyed hash', () => {
  test('is matched by its value, for its purpose, under its secret, and by nothing else', () => {
    const stored = secrets.hash('code', '123456')

    expect(secrets.matches('code', '123456', stored)).toBe(true)
    expect(secrets.matches('code', '123457', stored)).toBe(false)
    expect(secrets.matches('link', '123456', stored)).toBe(false)
    for (const other of ['', '.', stored.slice(0, -1), `x${stored}`, stored.split('.')[1] ?? '']) {
      expect(secrets.matches('code', '123456', other)).toBe(false)
    }
  })

  test('of a secret that is not configured here is no wrong value, but one that cannot be checked: 503', () => {
    const stored = secrets.hash('code', '123456')
    const elsewhere = createSecrets([old])

    expect([secrets.knows(stored), elsewhere.knows(stored), elsewhere.knows('')]).toEqual([
      true,
      false,
      false,
    ])
    expect(() => elsewhere.matches('code', '123456', stored)).toThrow(
      expect.objectContaining({ status: 503, headers: { 'Retry-After': '2' } }),
    )
    expect(() => elsewhere.matches('code', '123456', stored)).toThrow(
      expect.objectContaining({ detail: expect.stringContaining(secrets.version) }),
    )
  })

  test('reveals neither its value nor its secret', () => {
    const stored = secrets.hash('code', '123456')

    expect(stored).not.toContain('123456')
    expect(stored).toMatch(/^[\w-]{6}\.[\w-]{43}$/)
  })
})

describe('a sealed text', () => {
  test('opens for its purpose, unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, purpose) => {
        expect(secrets.open(purpose, secrets.seal(purpose, text))).toBe(text)
        expect(secrets.open(`${purpose} `, secrets.seal(purpose, text))).toBeUndefined()
      }),
    )
  })

  test('does not open once anything of it was changed', () => {
    const sealed = secrets.seal('mail', 'the code is 123456')
    const dot = sealed.indexOf('.') + 1
    for (let at = dot; at < sealed.length - 1; at++) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
      expect(secrets.open('mail', changed), String(at)).toBeUndefined()
    }
    for (const malformed of [
      '',
      '.',
      'nonsense',
      sealed.slice(dot),
      sealed.slice(0, dot),
      `xxxxxx.${sealed.slice(dot)}`,
    ]) {
      expect(secrets.open('mail', malformed)).toBeUndefined()
    }
  })

  test('differs each time', () => {
    expect(secrets.seal('mail', 'same')).not.toBe(secrets.seal('mail', 'same'))
  })

  test('under a token opens with this token only', () => {
    const sealed = sealUnder('token', 'link code', '123456')

    expect(openUnder('token', 'link code', sealed)).toBe('123456')
    expect(openUnder('tokem', 'link code', sealed)).toBeUndefined()
    expect(openUnder('token', 'another purpose', sealed)).toBeUndefined()
    expect(openUnder('token', 'link code', '')).toBeUndefined()
  })
})

describe('with a newer secret', () => {
  const rotated = createSecrets([now, old])

  test('values hashed and sealed under the older one still verify and open', () => {
    const before = createSecrets([old])

    expect(rotated.matches('code', '123456', before.hash('code', '123456'))).toBe(true)
    expect(rotated.open('mail', before.seal('mail', 'text'))).toBe('text')
    expect(rotated.hashes('code', '1')).toEqual([secrets.hash('code', '1'), before.hash('code', '1')])
  })

  test('new values are under the newer one, so that the older one can go', () => {
    expect(rotated.version).toBe(secrets.version)
    expect(secrets.matches('code', '123456', rotated.hash('code', '123456'))).toBe(true)
    expect(secrets.open('mail', rotated.seal('mail', 'text'))).toBe('text')
  })
})

describe('the current secret', () => {
  test('is the first until another of them is made it, and then seals and hashes', () => {
    const [before, after] = [createSecrets([old]), createSecrets([now])]
    const both = createSecrets([now, old])

    both.makeCurrent(before.version, [])
    expect([both.version, both.versions]).toEqual([before.version, [after.version, before.version]])
    expect(before.open('mail', both.seal('mail', 'text'))).toBe('text')
    expect(both.hashes('code', '1')).toEqual([before.hash('code', '1'), after.hash('code', '1')])
    expect(both.isOutdated(before.hash('code', '1'))).toBe(false)

    both.makeCurrent(after.version, [before.version])
    expect(after.open('mail', both.seal('mail', 'text'))).toBe('text')
    expect(both.isOutdated(before.hash('code', '1'))).toBe(true)
    expect(both.isOutdated(after.hash('code', '1'))).toBe(false)
  })
})

test('at least one secret is required', () => {
  expect(() => createSecrets([])).toThrow('at least one master secret')
})

test('texts are equal in constant time where they are equal at all', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      expect(constantTimeEqual(left, right)).toBe(left === right)
      expect(constantTimeEqual(left, left)).toBe(true)
    }),
  )
})

test('the PKCE challenge of RFC 7636, appendix B, is reproduced', () => {
  expect(s256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  )
  expect(plainHash('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
})

test('a derived id is twenty letters and digits, and never changes', () => {
  expect(derivedId('scp', 'authorization server scope openid')).toBe('scpwLgwKPEZrHPBkHu36')
})
