import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { checkConfig } from '../../src/config/index.ts'
import { startEngine } from '../../src/testing/index.ts'

/** The status of a GET under a name. */
const statusUnder = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject).end()
  })

test('with a host of its own the admin page is under that name alone', async () => {
  const idp = await startEngine({ settings: { management: { host: 'admin.example.com' } } })
  onTestFinished(() => idp.close())
  const { host } = new URL(idp.engineUrl)
  for (const path of ['/admin', '/admin/admin.js', '/ui/ui.css']) {
    expect(await statusUnder(idp.engineUrl + path, 'admin.example.com'), path).toBe(200)
    expect(await statusUnder(idp.engineUrl + path, 'ADMIN.example.com:8443'), path).toBe(200)
    expect(await statusUnder(idp.engineUrl + path, host), path).toBe(404)
    expect(await statusUnder(idp.engineUrl + path, 'admin.example.com.evil.example'), path).toBe(404)
  }
  // The API is at both, and asks for a token.
  for (const name of ['admin.example.com', host]) {
    expect(await statusUnder(`${idp.engineUrl}/api/v1/users`, name)).toBe(401)
  }
})

test.each([
  ['the host of the issuer', 'id.example.com', 'management.host'],
  ['no host name', 'https://admin.example.com', 'management.host'],
])('a configuration for production refuses %s', (_, host, option) => {
  const settings = {
    ...{
      mode: 'production' as const,
      issuer: 'https://id.example.com',
      secrets: ['0123456789abcdef0123456789abcdef'],
    },
    management: { host },
  }
  expect(() => checkConfig(settings)).toThrow(option)
})
