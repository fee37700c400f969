import { expect, test } from 'vitest'
import { acceptedRedirects, type Client } from './client.ts'

const clientWith = (redirectUris: readonly string[], insecureLocalhostRedirects?: boolean): Client => ({
  id: 'shop',
  label: 'Shop',
  status: 'ACTIVE',
  secrets: [],
  settings: {
    applicationType: 'browser',
    redirectUris,
    postLogoutRedirectUris: [],
    grantTypes: [],
    ...(insecureLocalhostRedirects !== undefined && { insecureLocalhostRedirects }),
  },
})

test.each([
  [
    'what is registered',
    clientWith(['https://a.example/cb', 'com.a:/cb']),
    'https://a.example/cb, com.a:/cb',
  ],
  ['any address of localhost', clientWith([], true), 'any http://localhost address with a port and no query'],
  ['nothing', clientWith([]), 'none'],
])('a developer reads that a client accepts %s', (_what, client, words) => {
  expect(acceptedRedirects(client)).toBe(words)
})
