import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { variables } from '../../src/config/index.ts'
import { mary, startEngine } from '../../src/testing/index.ts'
import { anyPorts, type Dev, rekey, startDev } from '../cli/rekey.ts'
import { callCommand } from '../cli/terminal.ts'
import { atTheCode } from '../support/attacks.ts'
import { startNode } from '../support/nodes.ts'
import { sdk } from '../support/sdk.ts'
import { startScriptedSmtp } from '../support/smtp-server.ts'

// A real process on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/contract.md'), 'utf8')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** A section of the page, by the words of its heading. */
const section = (heading: string): string =>
  page.split(/^## /m).find((part) => part.replaceAll('`', '').startsWith(heading)) ?? ''

/** The rows of the table in a section, each a list of cells, without the head. */
const rowsOf = (heading: string): readonly (readonly string[])[] =>
  [...section(heading).matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .slice(2)

const codes = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

let folder: string
let dev: Dev
let help: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-contract-'))
  dev = await startDev([...anyPorts, '--data', 'memory'], { folder })
  help = (await rekey(['dev', '--help'], { folder })).stdout
})
afterAll(async () => {
  await dev?.end()
  rmSync(folder, { recursive: true })
})

describe('rekey dev', () => {
  test.each(rowsOf('rekey dev'))('%s: %s, %s', (_, usual, flag = '', variable = '') => {
    const [name = ''] = codes(flag)
    // An option with what it does, which may go on in the next lines.
    const [, line = ''] = new RegExp(`^ +(${name} .*(?:\n {4,}[^-\\s].*)*)`, 'm').exec(help) ?? []
    expect(line).not.toBe('')
    for (const wanted of codes(variable)) expect(line.replace(/\s+/g, ' ')).toContain(`(${wanted})`)
    const value = /:(\d+)$/.exec(usual ?? '')?.[1] ?? codes(usual ?? '')[0]?.replace('/', '')
    if (value !== undefined) expect(line).toContain(`default: ${value}`)
  })

  test('prints the members of the line of JSON', () => {
    const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '{}') as Record<string, unknown>
    const { child: _, end: __, complaints: ___, stdout, ...line } = dev
    expect(Object.keys(line).sort()).toEqual(Object.keys(shown).sort())
    expect(stdout().split('\n')).toHaveLength(1)
    expect(line.person.login).toBe((shown.person as { login: string }).login)
    expect(dev.issuer).toBe(`${dev.engineUrl}/oauth2/default`)
  })

  test('has both issuers', async () => {
    for (const issuer of [dev.issuer, dev.engineUrl]) {
      const answer = await fetch(`${issuer}/.well-known/openid-configuration`)
      expect(((await answer.json()) as { issuer: string }).issuer).toBe(issuer)
    }
  })
})

describe('the control API', () => {
  const call = async (method: string, path: string, body?: object) =>
    fetch(dev.controlUrl + path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  const newPerson = async (login: string) => {
    const answer = await call('POST', '/people', { login })
    return ((await answer.json()) as { id: string }).id
  }
  const transaction = async () => {
    await call('POST', '/sign-in', { login: dev.person.login })
    const interact = await fetch(`${dev.issuer}/v1/interact`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: dev.clientId,
        client_secret: dev.clientSecret,
        scope: 'openid',
        redirect_uri: `${dev.appUrl}/login/callback`,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        state: 'state',
      }),
    })
    const { interaction_handle } = (await interact.json()) as { interaction_handle: string }
    await fetch(`${dev.engineUrl}/idp/idx/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/ion+json; okta-version=1.0.0' },
      body: JSON.stringify({ interactionHandle: interaction_handle }),
    })
    const all = (await (await call('GET', '/transactions')).json()) as { id: string }[]
    return all[0]?.id ?? ''
  }

  /** fetch() sends no other Host than that of the address. */
  const statusFor = async (host: string) => {
    const sent = request(`${dev.controlUrl}/messages`, { headers: { host } }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.resume()
    return answer.statusCode
  }

  /** One call of each row, as the page writes it, and what it must answer. */
  const calls: Readonly<Record<string, () => Promise<[Response, unknown]>>> = {
    'GET /messages?to=ADDRESS&channel=CHANNEL': async () => [
      await call('GET', `/messages?to=${dev.person.login}`),
      [],
    ],
    'GET /messages/wait?to=ADDRESS&channel=CHANNEL&after=ID&timeout=MS': async () => [
      await call('GET', `/messages/wait?to=${dev.person.login}&timeout=1`),
      { error: 'no_message' },
    ],
    'DELETE /messages': async () => [await call('DELETE', '/messages'), { deleted: 0 }],
    'DELETE /messages/ID': async () => [await call('DELETE', '/messages/none'), { error: 'not_found' }],
    'GET /people?login=NAME': async () => [
      await call('GET', `/people?login=${dev.person.login}`),
      [expect.objectContaining({ login: dev.person.login, status: 'ACTIVE' })],
    ],
    'GET /people/ID': async () => [
      await call('GET', `/people/${await newPerson('edith@example.com')}`),
      { login: 'edith@example.com' },
    ],
    'POST /people': async () => [
      await call('POST', '/people', { login: 'ada@example.com', status: 'STAGED' }),
      { id: expect.stringMatching(/^00u/), status: 'STAGED' },
    ],
    'GET /people/ID/factors': async () => [
      await call('GET', `/people/${await newPerson('rosa@example.com')}/factors`),
      [],
    ],
    'POST /people/ID/factors': async () => [
      await call('POST', `/people/${await newPerson('lise@example.com')}/factors`, { type: 'google_otp' }),
      { sharedSecret: expect.stringMatching(/^[A-Z2-7]{16,}$/) },
    ],
    'PATCH /people/ID': async () => [
      await call('PATCH', `/people/${await newPerson('grace@example.com')}`, { firstName: 'Grace' }),
      { login: 'grace@example.com', firstName: 'Grace' },
    ],
    'DELETE /people/ID': async () => [
      await call('DELETE', `/people/${await newPerson('joan@example.com')}`),
      { deleted: 1 },
    ],
    'GET /clock': async () => [await call('GET', '/clock'), { now: expect.stringMatching(/^\d{4}-.*Z$/) }],
    'POST /clock': async () => {
      await call('POST', '/clock', { advance: '5m' })
      return [
        await call('POST', '/clock', { now: '2030-01-01T00:00:00Z' }),
        { now: expect.stringMatching(/^2030-01-01T00:00/) },
      ]
    },
    'POST /reset': async () => [
      await call('POST', '/reset'),
      { now: expect.not.stringMatching(/^2030-01-01T00:00/) },
    ],
    'POST /faults': async () => {
      await call('POST', '/faults', { path: '/health/live', status: 503, times: 1 })
      expect((await fetch(`${dev.engineUrl}/health/live`)).status).toBe(503)
      expect((await fetch(`${dev.engineUrl}/health/live`)).status).toBe(200)
      return [await call('POST', '/faults', { smtp: 'refuse', times: 3 }), { smtp: 'refuse', times: 3 }]
    },
    'POST /sign-in': async () => [
      await call('POST', '/sign-in', { login: dev.person.login }),
      expect.anything(),
    ],
    'GET /events': async () => [await call('GET', '/events'), expect.arrayContaining([expect.anything()])],
    'GET /transactions': async () => {
      const id = await transaction()
      return [await call('GET', '/transactions'), expect.arrayContaining([expect.objectContaining({ id })])]
    },
    'GET /transactions/ID': async () => {
      const id = await transaction()
      expect(id).toMatch(/^trs/)
      return [await call('GET', `/transactions/${id}`), { id, events: expect.any(Array) }]
    },
    'GET /openapi.json': async () => [await call('GET', '/openapi.json'), { openapi: expect.any(String) }],
    'GET /openapi/engine.json': async () => [
      await call('GET', '/openapi/engine.json'),
      { openapi: expect.any(String), paths: expect.any(Object) },
    ],
  }

  const documented = rowsOf('Control API').map(([cell = '']) => codes(cell)[0] ?? '')

  test('has a call here for each call of the page', () => {
    expect(documented).toEqual(Object.keys(calls))
  })

  test.each(documented)('%s', async (name) => {
    const [answer, wanted] = (await calls[name]?.()) ?? []
    const status =
      name === 'POST /people' || name === 'POST /people/ID/factors'
        ? 201
        : name === 'DELETE /messages/ID'
          ? 404
          : name.includes('/wait')
            ? 408
            : 200
    expect(answer?.status).toBe(status)
    const body = await answer?.json()
    if (
      typeof wanted === 'object' &&
      wanted !== null &&
      !Array.isArray(wanted) &&
      !('asymmetricMatch' in wanted)
    ) {
      expect(body).toMatchObject(wanted)
    } else expect(body).toEqual(wanted)
  })

  test('is described by its own OpenAPI document, call by call', async () => {
    const { paths } = (await (await call('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    for (const name of documented.filter((one) => !one.endsWith('/openapi.json'))) {
      const [method = '', path = ''] = name.replace(/\?.*/, '').split(' ')
      expect(Object.keys(paths[path.replace('ID', '{id}')] ?? {}), name).toContain(method.toLowerCase())
    }
  })

  test('tells of a mail what the page says', async () => {
    const [, words = ''] = rowsOf('Control API')[0] ?? []
    const members = /`\{([^}]+)\}`/.exec(words)?.[1]?.split(', ') ?? []
    await call('POST', '/reset')
    const auth = sdk({ ...dev, redirectUri: `${dev.appUrl}/login/callback` })
    await auth.idx.recoverPassword({ username: dev.person.login, authenticators: ['okta_email'] })
    const mail = await (await call('GET', `/messages/wait?to=${dev.person.login}&timeout=10000`)).json()
    expect(Object.keys(mail as object)).toEqual(expect.arrayContaining(members))
    expect(mail).toMatchObject({ to: dev.person.login, code: expect.stringMatching(/^\d{6}$/) })
  })

  test('refuses a foreign host, a foreign origin, and a body that is not JSON', async () => {
    const post = (headers: Record<string, string>, body: string) =>
      fetch(`${dev.controlUrl}/people`, { method: 'POST', headers, body })
    const json = { 'content-type': 'application/json' }
    expect(
      (await post({ ...json, origin: 'https://evil.example' }, '{"login":"eve@example.com"}')).status,
    ).toBe(403)
    expect(await statusFor('evil.example')).toBe(403)
    expect(await statusFor(new URL(dev.controlUrl).host)).toBe(200)
    expect((await post({ 'content-type': 'text/plain' }, '{"login":"eve@example.com"}')).status).toBe(415)
  })
})

describe('rekey serve', () => {
  test('knows the variables, and names them when they are absent', async () => {
    const named = rowsOf('rekey serve').flatMap(([cell = '']) => codes(cell))
    expect(named.filter((name) => variables[name] === undefined)).toEqual([])
    const { stderr } = await rekey(['serve'], { folder })
    for (const name of named) expect(stderr).toContain(name)
  })

  test('has the addresses for machines, which the development engine has as well', async () => {
    const addresses = codes(section('rekey serve')).filter((code) => code.startsWith('GET /'))
    expect(addresses).toHaveLength(3)
    for (const address of addresses) {
      expect((await fetch(dev.engineUrl + address.replace('GET ', ''))).status).toBe(200)
    }
  })
})

test('the commands beside a node print the members that the page names', async () => {
  const smtp = await startScriptedSmtp()
  const url = `sqlite:${join(folder, 'beside.db')}`
  const node = await startNode({ settings: { database: { url }, mail: { url: smtp.url, spreadMs: 0 } } })
  const env = { DATABASE_URL: url, REKEY_SECRET: 'only for tests: everybody knows this secret' }
  const print = async (words: readonly string[]) => {
    const { code, stdout, stderr } = await callCommand([...words, '--json'], { folder, env })
    expect([words, code, stderr.includes('rekey:')]).toEqual([words, 0, false])
    const value = JSON.parse(stdout) as object | readonly object[]
    return (Array.isArray(value) ? value : [value]) as readonly Record<string, unknown>[]
  }
  try {
    smtp.answers((moment) => (moment === 'RCPT' ? '550 5.1.1 unknown user' : undefined))
    await atTheCode(node, mary.login)
    await node.engine.delivery.idle()
    const rows = rowsOf('Commands beside a node')
    expect(rows.length).toBeGreaterThan(5)
    for (const [command = '', , members = ''] of rows) {
      const [key] = await print(['keys', 'list'])
      const words = (codes(command)[0] ?? '').replace('KID', String(key?.kid)).split(' ')
      const [printed = {}] = await print(words.slice(1))
      expect(Object.keys(printed), command).toEqual(expect.arrayContaining([...codes(members)]))
    }
  } finally {
    await node.close()
    await smtp.close()
  }
})

test('startEngine() answers the members that the page names', async () => {
  const [, listed = ''] = /answers an object with ([\s\S]*?)\. More/.exec(page) ?? []
  const idp = await startEngine()
  try {
    expect(codes(listed).length).toBeGreaterThan(10)
    expect(codes(listed).filter((name) => !(name in idp))).toEqual([])
  } finally {
    await idp.close()
  }
})

test.each(rowsOf('Commands for machines'))('%s', (cell) => {
  const [, named] = /npm run (\S+?)[`\s]/.exec(`${cell}`) ?? []
  const found = Object.keys(scripts).filter((script) =>
    named === undefined ? script.startsWith(codes(`${cell}`)[0] ?? '?') : script === named,
  )
  expect(found).not.toEqual([])
})
