import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { end, rekey, start, until } from './rekey.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

// A user reads an id out, an operator types it: what each kind of error leads to, with the engine as it runs in production.
let folder: string
let env: Record<string, string>
let node: ChildProcess
let url: string
const log: string[] = []

const apiToken = 'a-token-of-the-management-API-for-this-test'
const client = {
  id: 'shop',
  label: 'Shop',
  secret: 'a client secret for this test only',
  redirectUris: ['https://shop.example.com'],
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-trace-'))
  const settings = { clients: [client], management: { apiToken } }
  writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify(settings))
  env = {
    DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
    REKEY_SECRET: 'a master secret of 32 characters or more',
    REKEY_ISSUER: 'https://id.example.com',
    SMTP_URL: 'smtp://127.0.0.1:1',
    REKEY_MAIL_DELIVER: 'false',
    REKEY_HOST: '127.0.0.1',
    REKEY_PORT: '0',
    REKEY_METRICS_PORT: '0',
    REKEY_SHUTDOWN_DELAY: '0s',
    REKEY_ACCESS_LOG: 'true',
  }
  const child = start(['serve'], { folder, env })
  node = child
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line))
  const ready = () => log.find((line) => line.includes('"msg":"ready"'))
  await Promise.race([until(() => ready() !== undefined), once(child, 'exit')])
  url = `http://127.0.0.1:${JSON.parse(ready() ?? '{}').port}`
})
afterAll(async () => {
  await end(node, 'SIGKILL')
  rmSync(folder, { recursive: true })
})

const trace = (id: string, ...more: string[]) => rekey(['trace', id, ...more], { folder, env })
const isRecorded = (id: string) => until(async () => (await trace(id)).code === 0)
const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
const json = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const answers: readonly [what: string, path: string, init: RequestInit, answered: string][] = [
  ['an unknown path', '/nowhere', {}, 'GET unmatched: 404 E0000007'],
  ['an address that cannot be parsed', '/%', {}, 'other unmatched: 400 E0000003'],
  [
    'the management API',
    '/api/v1/users/00uNobody',
    { headers: { authorization: `SSWS ${apiToken}` } },
    'GET /api/v1/users/:userId: 404 E0000007',
  ],
  ['the management API without a token', '/api/v1/users', {}, 'GET /api/v1/users: 401 E0000011'],
  [
    'the token endpoint',
    '/oauth2/default/v1/token',
    form({
      grant_type: 'interaction_code',
      client_id: 'shop',
      client_secret: client.secret,
      interaction_code: 'x',
      code_verifier: 'y'.repeat(43),
    }),
    'POST /oauth2/default/v1/token: 400 invalid_grant',
  ],
  [
    'interact',
    '/oauth2/default/v1/interact',
    form({ client_id: 'nobody' }),
    'POST /oauth2/default/v1/interact: ',
  ],
  [
    'a state handle that there is not',
    '/idp/idx/introspect',
    json({ stateHandle: '02.id.of-nothing' }),
    'POST /idp/idx/introspect: 401 ',
  ],
  ['a dead link', '/email/verify/shop?token=nothing', {}, 'GET /email/verify/:clientId: 200 link.dead'],
]

test('the id of every error body and page, and that of the header, is found', async () => {
  const asked: { id: string; request: string; answered: string; what: string }[] = []
  for (const [what, path, init, answered] of answers) {
    const response = await fetch(url + path, init)
    const text = await response.text()
    const request = response.headers.get('x-okta-request-id') ?? ''
    expect(request, what).toMatch(/^req\w{17}$/)
    // Where a body or a page has an id it has the letters of the request's.
    const [shown] = /oae\w{17}/.exec(text) ?? []
    if (shown !== undefined) expect(shown, what).toBe(`oae${request.slice(3)}`)
    if (/management|path|link|parsed/.test(what)) expect(shown, what).toBeDefined()
    asked.push({ what, request, id: shown ?? request, answered })
  }
  // A node writes them within ten seconds.
  await isRecorded(asked.at(-1)?.id ?? '')
  for (const { what, id, request, answered } of asked) {
    for (const one of new Set([id, request])) {
      const { code, stdout, stderr } = await trace(one)
      expect([code, stderr], what).toEqual([0, ''])
      expect(stdout.replace(/ +/g, ' '), what).toContain(answered)
      expect(stdout).toContain(request)
    }
  }
})

test('an error that belongs to a transaction leads to its timeline', async () => {
  const begun = await fetch(
    `${url}/oauth2/default/v1/interact`,
    form({
      client_id: 'shop',
      client_secret: client.secret,
      scope: 'openid',
      redirect_uri: 'https://shop.example.com',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      state: 'a state',
    }),
  )
  const { interaction_handle: interactionHandle } = (await begun.json()) as Record<string, string>
  const { stateHandle } = (await (
    await fetch(`${url}/idp/idx/introspect`, json({ interactionHandle }))
  ).json()) as Record<string, string>
  const cancel = () => fetch(`${url}/idp/idx/cancel`, json({ stateHandle }))
  await cancel()
  // Over by now: an error of the protocol.
  const over = await cancel()
  expect(over.status).toBe(401)
  await isRecorded(over.headers.get('x-okta-request-id') ?? '')
  const { code, stdout } = await trace(over.headers.get('x-okta-request-id') ?? '')
  expect(code).toBe(0)
  expect(stdout).toMatch(/transaction +trs\w{17}/)
  expect(stdout).toMatch(/cancelled/i)
})

test('an error that no node has recorded is placed in time, and its log line is found by its id or trace', async () => {
  const unknown = await trace('oae1vAAAA0123456789a')
  expect(unknown.code).toBe(1)
  expect(unknown.stderr).toMatch(/it is of 20\d\d-.*rekey trace oae1vAAAA0123456789a --log FILE/)

  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
  const answer = await fetch(`${url}/nowhere`, { headers })
  const { errorId } = (await answer.json()) as { errorId: string }
  await until(() => log.some((line) => line.includes(errorId.slice(3))))
  writeFileSync(join(folder, 'serve.log'), log.join('\n'))
  for (const id of [errorId, traceId]) {
    const { code, stdout } = await trace(id, '--log', 'serve.log')
    expect(code).toBe(0)
    expect(stdout).toContain('"route":"unmatched","status":404')
  }
  expect((await trace(traceId, '--log', 'no such file')).stderr).toContain('cannot be read')
})
