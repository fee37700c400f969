import { expect, test } from 'vitest'
import { returnPath, thenTo } from './return-path.ts'

const config = { appUrl: 'https://app.example.com' }

test.each([
  ['/orders', '/orders'],
  ['/orders?page=2&of=all', '/orders?page=2&of=all'],
  ['/', '/'],
  ['/a/../orders', '/orders'],
  ['/orders#last', '/orders'],
  ['/.\\orders', '/orders'],
  ['/orders?next=//evil.example', '/orders?next=//evil.example'],
])('%s is a page of this app', (value, path) => {
  expect(returnPath(value, config)).toBe(path)
})

test.each<unknown>([
  '//evil.example',
  '/\\evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/%2e//evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  'https://evil.example/',
  'https:evil.example',
  'javascript:alert(1)',
  'orders',
  '@evil.example',
  '',
  ' /orders',
  '/ordérs',
  `/${'x'.repeat(600)}`,
  '/login',
  '/login?return_to=/orders',
  '/logout',
  '/enroll-profile',
  { path: '/orders' },
  undefined,
])('%j leads nowhere', (value) => {
  expect(returnPath(value, config)).toBeUndefined()
})

test('a path survives its way into a link', () => {
  const link = new URL(thenTo('/login', '/orders?page=2&of=all'), config.appUrl)
  expect([link.pathname, returnPath(link.searchParams.get('return_to'), config)]).toEqual([
    '/login',
    '/orders?page=2&of=all',
  ])
})
