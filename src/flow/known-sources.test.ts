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
