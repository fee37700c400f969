import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf, tokenOf } from '../support/management.ts'

// A82 by the management API: what the configuration refuses of a brand is refused here as well, and changes nothing.
let idp: Kit
const brand = '/brands/bndDefault'
const theme = `${brand}/themes/theDefault`

beforeAll(async () => {
  idp = await startEngine()
})
afterAll(() => idp.close())

const front = async (): Promise<string> =>
  (await fetch(`${idp.engineUrl}/signin`, { headers: { accept: 'text/html' } })).text()

test.each([
  [brand, { name: 'A', customPrivacyPolicyUrl: 'javascript:alert(1)', agreeToCustomPrivacyPolicy: true }],
  [brand, { name: 'A', customPrivacyPolicyUrl: 'http://a.example/', agreeToCustomPrivacyPolicy: true }],
  [brand, { name: 'A', customPrivacyPolicyUrl: 'https://a.example/' }],
  [theme, { primaryColorHex: '#fff;}x' }],
  [theme, { primaryColorHex: 'red' }],
])('A82: PUT %s with %j is refused, and the pages stay as they are', async (path, body) => {
  const before = await front()
  expect((await apiOf(idp)('PUT', path, body)).status).toBe(400)
  expect(await front()).toBe(before)
})

test('A82: a vector graphic is no logo', async () => {
  const answer = await fetch(`${idp.engineUrl}/api/v1${theme}/logo`, {
    method: 'POST',
    headers: { authorization: `SSWS ${idp.apiToken}`, 'content-type': 'image/png' },
    body: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  })
  expect(answer.status).toBe(400)
  expect(await front()).not.toContain('/assets/brand-')
})

test('A82: an administrator of users alone changes no page', async () => {
  const token = await tokenOf(idp, 'users')
  for (const [path, body] of [
    [brand, { name: 'Harbour' }],
    [theme, { primaryColorHex: '#0b7a4b' }],
  ] as const) {
    const answer = await fetch(`${idp.engineUrl}/api/v1${path}`, {
      method: 'PUT',
      headers: { authorization: `SSWS ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(answer.status).toBe(403)
  }
})
