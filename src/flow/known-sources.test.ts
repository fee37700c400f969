import { expect, test } from 'vitest'
import { createSecrets } from '../base/index.ts'
import type { Interaction } from '../interactions/index.ts'
import { isKnownSource, mostKnownSources, rememberSource } from './known-sources.ts'

const old = 'the secret of last year, long enough'
const renewed = 'the secret of this year, long enough'

const from = (ip: string): Interaction => ({
  id: 'int',
  clientId: 'shop',
  issuer: 'default',
  redirectUri: 'https://shop.example/callback',
  codeChallenge: '',
  request: { scope: 'openid', state: '' },
  origin: { ip, vouched: true },
  createdAt: 0,
  expiresAt: 0,
  sessionId: null,
})

test('A56: of eleven sources the oldest is forgotten', () => {
  const secrets = createSecrets([old])
  expect(mostKnownSources).toBe(10)
  const places = Array.from({ length: 11 }, (_, index) => from(`192.0.2.${index}`))
  const known = places.reduce<string | undefined>(
    (before, place) => rememberSource(before, secrets, place),
    undefined,
  )
  expect(places.map((place) => isKnownSource(known, secrets, place))).toEqual([
    false,
    ...Array(10).fill(true),
  ])
})

test('A56: a source that a user has signed in from stays known while the secret is rotated', () => {
  const known = rememberSource(undefined, createSecrets([old]), from('192.0.2.1'))

  for (const secrets of [[old], [old, renewed], [renewed, old]]) {
    expect(isKnownSource(known, createSecrets(secrets), from('192.0.2.1'))).toBe(true)
    expect(isKnownSource(known, createSecrets(secrets), from('192.0.2.2'))).toBe(false)
  }
  const after = rememberSource(known, createSecrets([renewed, old]), from('192.0.2.1'))
  expect(isKnownSource(after, createSecrets([renewed]), from('192.0.2.1'))).toBe(true)
  expect(after.split(' ').length).toBeLessThanOrEqual(mostKnownSources)
})
