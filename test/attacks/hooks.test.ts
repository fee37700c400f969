import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  createOutbound,
  isPublicAddress,
  OutboundError,
  outboundUrlProblem,
} from '../../src/outbound/index.ts'

// Real servers on loopback, and a resolver that the tests answer for.

let tls: { readonly key: string; readonly cert: string }
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'outbound-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=hooks.example.com', '-addext', 'subjectAltName=DNS:hooks.example.com']
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
})

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}
const http = (handler: RequestListener) => listening(createHttp(handler))
const https = (handler: RequestListener) => listening(createHttps(tls, handler))
const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const near = { insecureAddresses: true } as const
const reasonOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return error instanceof OutboundError ? error.reason : error
}

describe('addresses', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'not an address',
    '',
  ])('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false))

  test.each(['8.8.8.8', '100.63.255.255', '100.128.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is',
    (address) => expect(isPublicAddress(address)).toBe(true),
  )

  test.each([
    'http://hooks.example.com/',
    'ftp://hooks.example.com/',
    'hooks.example.com',
    'https://user:password@hooks.example.com/',
    'https://hooks.example.com/#part',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://10.0.0.1/',
    'http://localhost/',
  ])('%s is refused', (url) => expect(outboundUrlProblem(url)).toBeDefined())

  test('https is taken, and what is near only where the setting says so', () => {
    expect(outboundUrlProblem('https://hooks.example.com:8443/a?b=c')).toBeUndefined()
    for (const url of ['http://localhost:1/', 'http://127.0.0.1:1/', 'https://10.0.0.1/', 'https://[::1]/']) {
      expect(outboundUrlProblem(url, near), url).toBeUndefined()
    }
    for (const url of ['http://10.0.0.1/', 'http://hooks.example.com/', 'https://169.254.169.254/']) {
      expect(outboundUrlProblem(url, near), url).toBeDefined()
    }
  })
})

describe('a call', () => {
  test('sends JSON and answers JSON, whatever the status', async () => {
    const seen: unknown[] = []
    const port = await http((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        seen.push([request.method, request.headers['x-key'], JSON.parse(text)])
        json({ said: 'yes' }, 503)(request, response)
      })
    })
    const answer = await createOutbound(near).post({
      url: `http://localhost:${port}/hook`,
      headers: { 'x-key': 'secret' },
      body: { a: 'ü' },
    })
    expect(answer).toEqual({ status: 503, body: { said: 'yes' } })
    expect(seen).toEqual([['POST', 'secret', { a: 'ü' }]])
  })

  test('verifies the certificate, by the name that was configured', async () => {
    const port = await https(json({ ok: true }))
    const resolve = async () => ['127.0.0.1']
    const call = (host: string, ca?: string) =>
      createOutbound({ ...near, resolve, ...(ca && { ca }) }).post({
        url: `https://${host}:${port}/`,
        body: {},
      })
    expect(await call('hooks.example.com', tls.cert)).toEqual({ status: 200, body: { ok: true } })
    expect(await reasonOf(call('hooks.example.com'))).toBe('connection')
    expect(await reasonOf(call('other.example.com', tls.cert))).toBe('connection')
  })

  test('A41: a name at a private address is not called, not even where another of its addresses is public', async () => {
    let calls = 0
    const port = await https((request, response) => {
      calls++
      json({})(request, response)
    })
    for (const addresses of [
      ['127.0.0.1'],
      ['8.8.8.8', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
      ['64:ff9b::7f00:1'],
    ]) {
      const client = createOutbound({ resolve: async () => addresses, ca: tls.cert })
      const url = `https://hooks.example.com:${port}/`
      expect(await reasonOf(client.post({ url, body: {} })), addresses.join()).toBe('address')
      expect(await reasonOf(client.reach(url))).toBe('address')
    }
    expect(calls).toBe(0)
  })

  test('A41: the connection goes to the address that was checked, whatever the name resolves to a moment later', async () => {
    const seen: string[] = []
    const port = await https((request, response) => {
      seen.push(String(request.headers.host))
      json({})(request, response)
    })
    let asked = 0
    // Checked once: a second look would find the address that a rebinding name has by then.
    const resolve = async () => (++asked === 1 ? ['127.0.0.1'] : ['169.254.169.254'])
    const client = createOutbound({ ...near, resolve, ca: tls.cert })
    await client.post({ url: `https://hooks.example.com:${port}/`, body: {} })
    expect([asked, seen]).toEqual([1, [`hooks.example.com:${port}`]])
  })

  test('A41: link-local addresses are not called by any setting, nor http beyond this machine', async () => {
    const client = (address: string) => createOutbound({ ...near, resolve: async () => [address] })
    const call = (url: string, address: string) => reasonOf(client(address).post({ url, body: {} }))
    expect(await call('https://hooks.example.com/', '169.254.169.254')).toBe('address')
    expect(await call('http://localhost/', '10.0.0.1')).toBe('address')
  })

  test('A41: a redirect is not followed', async () => {
    let inner = 0
    const target = await http((request, response) => {
      inner++
      json({ secret: true })(request, response)
    })
    const port = await http((_, response) =>
      response.writeHead(302, { location: `http://localhost:${target}/` }).end(),
    )
    const answer = await createOutbound(near).post({ url: `http://localhost:${port}/`, body: {} })
    expect([answer.status, inner]).toEqual([302, 0])
  })

  test('ends in time: at the name, at the answer, and in the middle of it', async () => {
    const slow = { ...near, timeoutMs: 1500 }
    const never = createOutbound({ ...slow, resolve: () => new Promise(() => {}) })
    const unnamed = reasonOf(never.post({ url: 'https://hooks.example.com/', body: {} }))
    const silent = await http(() => {})
    const url = (port: number) => `http://localhost:${port}/`
    const unanswered = reasonOf(createOutbound(slow).post({ url: url(silent), body: {} }))
    const dripping = await http((_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    const unended = reasonOf(createOutbound(slow).post({ url: url(dripping), body: {} }))
    expect(await Promise.all([unnamed, unanswered, unended])).toEqual([
      'connection',
      'unanswered',
      'unanswered',
    ])
  })

  test('takes no answer that is longer than allowed, or no JSON', async () => {
    const long = await http((_, response) => response.end(JSON.stringify('x'.repeat(300 * 1024))))
    const page = await http((_, response) => response.end('<html>'))
    const gone = await http((_, response) => response.end())
    const call = (port: number) => createOutbound(near).post({ url: `http://localhost:${port}/`, body: {} })
    expect(await reasonOf(call(long))).toBe('answer')
    expect(await reasonOf(call(page))).toBe('answer')
    expect(await call(gone)).toEqual({ status: 200, body: undefined })
  })

  test('that finds no server says so, and one that is given up ends at once', async () => {
    const port = await http(() => {})
    servers.splice(0).map((server) => server.close())
    const url = `http://localhost:${port}/`
    expect(await reasonOf(createOutbound(near).post({ url, body: {} }))).toBe('connection')
    expect(await reasonOf(createOutbound(near).reach(url))).toBe('connection')
    const gone = new AbortController()
    const silent = await http(() => gone.abort())
    const call = createOutbound(near).post({
      url: `http://localhost:${silent}/`,
      body: {},
      signal: gone.signal,
    })
    expect(await reasonOf(call)).toBe('unanswered')
  })

  test('reaches a server without asking it anything', async () => {
    let calls = 0
    const port = await https(() => {
      calls++
    })
    const client = createOutbound({ ...near, resolve: async () => ['127.0.0.1'], ca: tls.cert })
    await client.reach(`https://hooks.example.com:${port}/`)
    expect(calls).toBe(0)
  })
})
