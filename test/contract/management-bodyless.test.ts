import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'

const prefix = '/api/v1'

/** Okta's own sample scripts send `Content-Type: application/json` with calls that have no body. */
const json = { 'content-type': 'application/json' }

let idp: Kit
let api: ReturnType<typeof apiOf>
beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
afterAll(() => idp.close())

/** Calls with exactly these headers: `fetch` adds a length of its own. */
const call = (method: string, path: string, headers: Readonly<Record<string, string>>) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const sent = request(`${idp.engineUrl}${prefix}${path}`, {
      method,
      headers: { authorization: `SSWS ${idp.apiToken}`, ...headers },
    })
    sent.on('error', reject)
    sent.on('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
    })
    if (headers['transfer-encoding'] === undefined) sent.removeHeader('transfer-encoding')
    sent.end()
  })

const forms = {
  'a type alone': json,
  'a length of 0': { ...json, 'content-length': '0' },
  'an empty chunk': { ...json, 'transfer-encoding': 'chunked' },
}

test.each(Object.entries(forms))('suspend and unsuspend take %s', async (_name, headers) => {
  const { id } = (await api('GET', `/users/${idp.person.login}`)).body
  const ways = ['suspend', 'unsuspend'].map((way) => `/users/${id}/lifecycle/${way}`)
  for (const path of ways) expect(await call('POST', path, headers)).toEqual({ status: 200, text: '{}' })
})

const bodyless = operations.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/users'))

test.each(Object.entries(forms))('no operation calls %s malformed', async (_name, headers) => {
  for (const { method, path } of bodyless) {
    const { text } = await call(method, path.replaceAll(/:\w+/g, 'missing'), headers)
    expect(text, `${method} ${path}`).not.toContain('not well-formed')
  }
})

test('a body that follows in chunks is read', async () => {
  const { status } = await fetch(`${idp.engineUrl}${prefix}/groups`, {
    method: 'POST',
    headers: { ...json, authorization: `SSWS ${idp.apiToken}` },
    body: new Blob([JSON.stringify({ profile: { name: 'Crew' } })]).stream(),
    duplex: 'half',
  } as RequestInit)
  expect(status).toBe(200)
})
