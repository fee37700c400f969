import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { mailCount, startTarget, visit } from '../support/attacks.ts'

const victim = 'mary@example.com'
let idp: Kit
let visitor: Visitor
beforeAll(async () => {
  idp = await startTarget({
    settings: { trustedOrigins: ['https://shop.example'] },
    redirectUri: 'https://app.example/login/callback',
    clients: [
      {
        id: 'inactive-soon',
        label: 'Spa',
        applicationType: 'browser',
        redirectUris: ['https://spa.example/callback'],
        postLogoutRedirectUris: [],
      },
    ],
  })
})
beforeEach(async () => {
  await idp.reset()
  visitor = await visit(idp)
  await visitor.submits('recover')
})
afterAll(() => idp.close())

const identify = (
  headers: Readonly<Record<string, string>>,
  body?: string | Blob | Uint8Array<ArrayBuffer>,
) =>
  fetch(`${idp.engineUrl}/idp/idx/identify`, {
    method: 'POST',
    headers,
    body: body ?? JSON.stringify({ identifier: victim, stateHandle: visitor.stateHandle }),
  })
const stands = async () => (await visitor.submits('introspect')).remediations[0]

describe('a foreign page', () => {
  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://sub.app.example',
    'null',
    'https://shop.example.evil.example',
    'chrome-extension://abc',
    'https://app.example/login/callback',
  ])('A46: script of the origin %s moves nothing and reads nothing', async (origin) => {
    const refused = await identify({ origin, 'content-type': 'application/json' })
    expect(refused.status).toBe(403)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    const asked = await fetch(`${idp.engineUrl}/idp/idx/identify`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(asked.headers.get('access-control-allow-origin')).toBeNull()
    expect(await stands()).toBe('identify-recovery')
  })

  test.each(['https://app.example', 'https://spa.example', 'https://shop.example'])(
    'A46: script of the registered origin %s is answered',
    async (origin) => {
      const taken = await identify({ origin, 'content-type': 'application/json' })
      expect([taken.status, taken.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    },
  )

  test.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/plain; application/json',
    'text/json',
    'application/json-patch+json',
    'application/jsonx',
    'text/html',
    '',
  ])('A46: a body that calls itself "%s" gets 415', async (type) => {
    const text = JSON.stringify({ identifier: victim, stateHandle: visitor.stateHandle })
    // A Blob without a type is sent without one, as a page can do with `sendBeacon`.
    const refused = await (type === ''
      ? identify({}, new Blob([text]))
      : identify({ 'content-type': type }, text))
    expect(refused.status).toBe(415)
    expect(await stands()).toBe('identify-recovery')
  })

  test('A46: neither does nothing at all pass for JSON', async () => {
    const refused = await fetch(`${idp.engineUrl}/idp/idx/identify`, { method: 'POST' })
    expect(refused.status).toBe(415)
  })

  test.each([
    'application/json',
    'application/ion+json; okta-version=1.0.0',
    'application/json; charset=utf-8',
  ])('A46: %s is taken', async (type) => expect((await identify({ 'content-type': type })).status).toBe(200))

  test('A46: a cookie that an attacker tossed means nothing, and none is set', async () => {
    const cookie = `idx=${visitor.stateHandle}; sid=ses00000000000000000; DT=x; JSESSIONID=y`
    const without = await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: '{}',
    })
    expect(without.status).toBe(401)
    const taken = await identify({ 'content-type': 'application/json', cookie })
    expect([taken.status, taken.headers.getSetCookie()]).toEqual([200, []])
  })

  test('A46: GET moves nothing', async () => {
    for (const path of ['identify', 'recover', 'challenge/answer', 'introspect', 'cancel']) {
      const query = new URLSearchParams({ stateHandle: visitor.stateHandle, identifier: victim })
      expect((await fetch(`${idp.engineUrl}/idp/idx/${path}?${query}`)).status).toBe(405)
    }
    expect(await stands()).toBe('identify-recovery')
  })
})

describe('JSON that two readers read differently', () => {
  const body = (inner: string) => `{"stateHandle":"${visitor.stateHandle}",${inner}}`
  test.each<readonly [string, () => string | Uint8Array<ArrayBuffer>]>([
    ['a key twice', () => body(`"identifier":"${victim}","identifier":"eve@evil.example"`)],
    ['a key twice, in escapes', () => body(`"identifier":"${victim}","identifi\\u0065r":"eve@evil.example"`)],
    [
      'a key twice, deep inside',
      () => body(`"identifier":"${victim}","credentials":{"passcode":"a","passcode":"b"}`),
    ],
    ['a byte order mark', () => `\ufeff${body(`"identifier":"${victim}"`)}`],
    ['UTF-16', () => Buffer.from(body(`"identifier":"${victim}"`), 'utf16le')],
    [
      'broken UTF-8',
      () =>
        Buffer.concat([
          Buffer.from(body(`"identifier":"${victim}`).slice(0, -1)),
          Buffer.from([0xc0, 0xae]),
          Buffer.from('"}'),
        ]),
    ],
    ['a NUL', () => body(`"identifier":"${victim}\\u0000"`)],
    ['eleven levels', () => body(`"identifier":"${victim}","x":${'['.repeat(11)}${']'.repeat(11)}`)],
    [
      'ten thousand levels',
      () => body(`"identifier":"${victim}","x":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
    ],
    ['__proto__', () => body(`"__proto__":{"identifier":"${victim}"}`)],
    ['__proto__ in escapes', () => body(`"\\u005f_proto__":{"identifier":"${victim}"}`)],
    ['a comment', () => body(`"identifier":"${victim}"/* */`)],
    ['a comma at the end', () => body(`"identifier":"${victim}",`)],
    ['single quotes', () => body(`'identifier':'${victim}'`)],
    ['two values', () => `${body(`"identifier":"${victim}"`)}{}`],
    ['a list', () => `[${body(`"identifier":"${victim}"`)}]`],
    ['a text', () => `"${victim}"`],
    ['null', () => 'null'],
    ['nothing', () => ''],
  ])('A47: %s is refused', async (_, make) => {
    const refused = await identify({ 'content-type': 'application/json' }, make())
    expect(refused.status).toBe(400)
    expect(((await refused.json()) as { errorCode: string }).errorCode).toMatch(/^E\d{7}$/)
    expect(await stands()).toBe('identify-recovery')
    expect(await mailCount(idp)).toBe(0)
  })

  test('A47: a large body is refused before it is read to its end', async () => {
    const refused = await identify(
      { 'content-type': 'application/json' },
      body(`"identifier":"${'x'.repeat(200_000)}"`),
    )
    expect(refused.status).toBe(413)
  })

  const smuggled: readonly (readonly [string, string])[] = [
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 50'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['odd chunks', 'Transfer-Encoding: xchunked'],
    ['a header with a blank before its colon', 'Content-Length : 5'],
    ['a folded header', 'X-Folded: a\r\n b\r\nContent-Length: 5, 6'],
  ]
  test.each(smuggled)('A47: a request with %s is one broken request, not two', async (_, headers) => {
    const inner = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const { port } = new URL(idp.engineUrl)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: 'localhost', port: Number(port) })
      let text = ''
      socket.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      socket.on('close', () => resolve(text)).on('error', reject)
      socket.write(
        `POST /idp/idx/introspect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n0\r\n\r\n${inner}`,
      )
    })
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400'])
    expect(answer).not.toMatch(/\blive\b/)
  })
})
