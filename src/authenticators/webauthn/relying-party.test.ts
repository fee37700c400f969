import { expect, test } from 'vitest'
import type { Client } from '../../clients/index.ts'
import { extensionsOf } from './relying-party.ts'

const clientAt = (...redirectUris: readonly string[]) => ({ settings: { redirectUris } }) as unknown as Client

test.each([
  {
    of: 'https, one site',
    baseUrl: 'https://id.example.com',
    at: 'https://app.example.com/callback',
    has: true,
  },
  {
    of: 'https, another site',
    baseUrl: 'https://id.example.com',
    at: 'https://shop.example/callback',
    has: false,
  },
  // As in development: browsers refuse a request that has it, and with it every passkey.
  { of: 'http', baseUrl: 'http://example.com:9000', at: 'http://app.example.com:8080/callback', has: false },
])('a challenge has an AppID where a browser takes it: $of', ({ baseUrl, at, has }) => {
  const extensions = extensionsOf({ rpId: 'example.com' }, { org: { baseUrl }, client: clientAt(at) })
  expect(extensions).toEqual(has ? { appid: baseUrl } : {})
})
