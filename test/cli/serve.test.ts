import { type ChildProcessWithoutNullStreams, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { OktaAuth } from '@okta/okta-auth-js'
import { SMTPServer } from 'smtp-server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { onThisMachine } from '../support/machine.ts'
import { end, listens, rekey, start, until } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const issuer = 'https://id.example.com'
const clientSecret = 'a client secret for this test only'
const redirectUri = 'https://shop.example.com/login/callback'

let folder: string
let mailServer: Awaited<ReturnType<typeof startMailServer>>
let env: Record<string, string>
const children: ChildProcessWithoutNullStreams[] = []

beforeAll(async () => {
  mailServer = await startMailServer()
})
afterAll(() => mailServer.close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-serve-'))
  env = {
    DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
    REKEY_SECRET: 'a master secret of 32 characters or more',
    REKEY_ISSUER: issuer,
    SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
    REKEY_HOST: '127.0.0.1',
    REKEY_PORT: '0',
    REKEY_METRICS_PORT: '0',
    REKEY_SHUTDOWN_DELAY: '0s',
  }
  const client = { id: 'shop', label: 'Shop', secret: clientSecret, redirectUris: [redirectUri] }
  writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify({ clients: [client] }))
})
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL')
  rmSync(folder, { recursive: true })
})

/** A mail server that tells when a mail has come in, and takes it when it is let. */
async function startMailServer() {
  let taken = 0
  let release = () => {}
  let begun = Promise.withResolvers<void>()
  const server = new SMTPServer({
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      stream.resume().on('end', () => {
        release = () => {
          taken++
          done(null, 'taken')
        }
        begun.resolve()
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    taken: () => taken,
    async holdsOne() {
      await begun.promise
      begun = Promise.withResolvers<void>()
    },
    release: () => release(),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** A node that is ready, with where it listens and the lines of its log. */
async function node(args: readonly string[] = []) {
  const child = start(['serve', ...args], { folder, env })
  children.push(child)
  const log: Record<string, unknown>[] = []
  const lines = createInterface({ input: child.stderr })
  lines.on('line', (line) => log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line }))
  await Promise.race([until(() => log.some(({ msg }) => msg === 'ready')), once(child, 'exit')])
  const ready = log.find(({ msg }) => msg === 'ready')
  if (ready === undefined) throw new Error(`rekey serve did not start: ${JSON.stringify(log)}`)
  return { child, log, url: `http://127.0.0.1:${ready.port}` }
}

/** The published SDK behind a proxy: what goes to the public address arrives at the node. */
function authAt(url: string) {
  const memory = new Map<string, string>()
  const storageProvider = {
    getItem: (key: string) => memory.get(key) ?? null,
    setItem: (key: string, value: string) => void memory.set(key, value),
    removeItem: (key: string) => void memory.delete(key),
  }
  return new OktaAuth({
    issuer: `${issuer}/oauth2/default`,
    clientId: 'shop',
    clientSecret,
    redirectUri,
    scopes: ['openid', 'email'],
    idx: { enableLegacyMode: true },
    storageManager: Object.fromEntries(
      ['transaction', 'shared-transaction', 'idx-response', 'token', 'cache'].map((name) => [
        name,
        { storageProvider },
      ]),
    ),
    async httpRequestClient(method, address, { headers, data }) {
      const isForm = headers?.['Content-Type'] === 'application/x-www-form-urlencoded'
      const body = !data
        ? null
        : typeof data === 'string'
          ? data
          : isForm
            ? new URLSearchParams(data as Record<string, string>)
            : JSON.stringify(data)
      const response = await fetch(address.replace(issuer, url), { method, headers: { ...headers }, body })
      const responseText = await response.text()
      const told = Object.fromEntries(response.headers)
      if (!response.ok) throw { status: response.status, headers: told, responseText }
      return { status: response.status, headers: told, responseText }
    },
  })
}

describe('rekey serve refuses', () => {
  test('everything that is unsafe or malformed, at once', async () => {
    const ran = await rekey(['serve'], {
      folder,
      env: { REKEY_ISSUER: 'http://id.example.com', REKEY_PORT: 'x', REKEY_SECRET: 'no longer than this' },
    })
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    const named = ran.stderr.split('\n').flatMap((line) => /^ {2}- ([\w.]+):/.exec(line)?.[1] ?? [])
    expect(new Set(named)).toEqual(new Set(['http.port', 'secrets', 'issuer', 'database.url', 'mail.url']))
    expect(ran.stderr).not.toContain('no longer than this')
  })

  test('the secret that rekey dev has made', async () => {
    const dev = start(['dev', '--json', '--no-app', '--port', '0', '--inbox-port', '0', '--smtp-port', '0'], {
      folder,
    })
    children.push(dev)
    await once(dev.stdout, 'data')
    await end(dev)
    const ran = await rekey(['serve'], {
      folder,
      env: { ...env, REKEY_SECRET: '', REKEY_SECRET_FILE: '.rekey/secret' },
    })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('the secret of rekey dev is for development only')
  })

  test('an older schema where it may not migrate, until somebody has', async () => {
    const ran = await rekey(['serve', '--migrate=false'], { folder, env })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('run rekey migrate')
    const migrated = await rekey(['migrate'], { folder, env })
    expect(migrated.code).toBe(0)
    expect(migrated.stdout).toMatch(/^applied 0001-initial\n(applied \S+\n)*$/)
    const { child } = await node(['--migrate=false'])
    expect((await end(child)).code).toBe(0)
  })

  test('a database that it cannot open, in words', async () => {
    const ran = await rekey(['serve'], {
      folder,
      env: { ...env, DATABASE_URL: `sqlite:${folder}/no/such/folder.db` },
    })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(`database.url: the folder of the file does not exist: ${folder}/no/such`)
  })

  test('a port that is taken, by the name of the flag', async () => {
    const { url } = await node()
    const ran = await rekey(['serve', '--port', new URL(url).port], { folder, env })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/is in use.*--port/)
  })

  test('a port of metrics that was asked for and is taken, by the name of the setting', async () => {
    const { log } = await node()
    const [, port = ''] = String(log.find(({ msg }) => msg === 'ready')?.metrics).split(':')
    const ran = await rekey(['serve', '--metrics-port', port], {
      folder,
      env: { ...env, REKEY_METRICS_PORT: '' },
    })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/metrics\.port: port \d+ of 127\.0\.0\.1 is in use.*REKEY_METRICS_PORT/)
    for (const wrong of ['x', '70000', 'Off']) {
      const refused = await rekey(['serve'], { folder, env: { ...env, REKEY_METRICS_PORT: wrong } })
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain('metrics.port')
    }
  })
})

describe('rekey serve', () => {
  test('answers health and metrics, and signs in whom rekey user has added beside it', async () => {
    const { child, url, log } = await node()
    expect(log.find(({ msg }) => msg === 'ready')).toMatchObject({ issuer, host: '127.0.0.1' })
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    const metrics = `http://${log.find(({ msg }) => msg === 'ready')?.metrics}`
    expect(metrics).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${metrics}/health/live`)).status).toBe(200)
    expect((await fetch(`${metrics}/health/ready`)).status).toBe(200)
    expect(await (await fetch(`${metrics}/metrics`)).text()).toContain('process_resident_memory_bytes')
    // Not where all the world could read them (F17).
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
    expect((await fetch(`${metrics}/oauth2/default/v1/keys`)).status).toBe(404)
    expect((await fetch(`${metrics}/metrics`, { method: 'POST' })).status).toBe(405)

    const input = 'Analytical-Engine-1843\n'
    expect((await rekey(['user', 'add', 'ada@example.com'], { folder, env, input })).code).toBe(0)
    const done = await authAt(url).idx.authenticate({
      username: 'ada@example.com',
      password: 'Analytical-Engine-1843',
    })
    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims).toMatchObject({
      iss: `${issuer}/oauth2/default`,
      email: 'ada@example.com',
    })
    expect((await end(child)).code).toBe(0)
  })

  test('lets no visitor sign up until that is opened', async () => {
    const { url } = await node()
    const auth = authAt(url)
    const { availableSteps } = await auth.idx.start()
    const names = availableSteps?.map(({ name }) => name)
    expect(names).toContain('identify')
    expect(names).not.toContain('select-enroll-profile')
    await expect(authAt(url).idx.register({ firstName: 'Nina' })).rejects.toThrow()
    const ran = await rekey(['doctor', '--json'], { folder, env })
    const lines: readonly { readonly id: string; readonly why: string }[] = JSON.parse(ran.stdout)
    expect(lines.find(({ id }) => id === 'sign-up')).toMatchObject({ result: 'met' })
  })

  test('has no control API and no person of its own', async () => {
    const { url } = await node()
    for (const path of ['/messages', '/people', '/clock', '/events', '/reset']) {
      expect((await fetch(url + path)).status).toBe(404)
    }
    expect((await rekey(['user', 'list', '--json'], { folder, env })).stdout).toBe('[]\n')
  })

  test('discloses no client and no redirect URI in a refusal of interact, and has no pages of development (N-m52, N-m25)', async () => {
    const { url, log } = await node()
    const ask = async (form: Record<string, string>) => {
      const response = await fetch(`${url}/oauth2/default/v1/interact`, {
        method: 'POST',
        body: new URLSearchParams(form),
      })
      return ((await response.json()) as { error_description: string }).error_description
    }
    expect(await ask({ client_id: 'none' })).toBe("Invalid value for 'client_id' parameter.")
    expect(await ask({ client_id: 'shop', client_secret: 'wrong' })).toBe(
      'The client secret is not valid for this client.',
    )
    expect(
      await ask({ client_id: 'shop', client_secret: clientSecret, redirect_uri: 'http://localhost:3000/cb' }),
    ).toBe("The 'redirect_uri' parameter must be one of the client's registered redirect URIs.")
    for (const path of ['/docs', '/pages', '/oauth2/default/v1/nothing']) {
      const answer = await fetch(url + path, { headers: { accept: 'text/html' } })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        'application/json; charset=utf-8',
      ])
    }
    // What the engine's own addresses show says where a sign-in begins, and names no app.
    for (const path of ['/', '/oauth2/default']) {
      const answer = await fetch(url + path, { headers: { accept: 'text/html' } })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(await answer.text()).not.toMatch(/shop|localhost:3000|inbox/i)
    }
    expect(JSON.stringify(log)).not.toContain(redirectUri)
  })

  test('answers what is under way when it is told to end, and accepts nothing new', async () => {
    const { child, url } = await node()
    const input = 'Analytical-Engine-1843\n'
    await rekey(['user', 'add', 'ada@example.com'], { folder, env, input })
    // A request that has begun and is not whole yet: the node cannot have answered it.
    const half = request(`${url}/oauth2/default/v1/interact`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'transfer-encoding': 'chunked' },
    })
    half.write('client_id=shop&scope=openid')
    const answered = once(half, 'response')
    await until(() => half.socket?.bytesWritten !== undefined && half.socket.bytesWritten > 0)
    // The node has taken the connection once it answers a later one.
    await fetch(`${url}/health/live`, { headers: { connection: 'close' } })

    const ending = end(child)
    await until(async () => !(await listens(url)))
    half.end()
    const [answer] = await answered
    expect(answer.statusCode).toBe(400)
    const { code, ms } = await ending
    expect(code).toBe(0)
    // Not by the deadline, but because all was done.
    expect(ms).toBeLessThan(onThisMachine(5_000))
  })

  test('hands the mail over that it has in hand when it is told to end', async () => {
    const { child, url } = await node()
    const input = 'Analytical-Engine-1843\n'
    await rekey(['user', 'add', 'ada@example.com'], { folder, env, input })
    await authAt(url).idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
    await mailServer.holdsOne()
    const ending = end(child)
    await until(async () => !(await listens(url)))
    expect(mailServer.taken()).toBe(0)
    mailServer.release()
    expect((await ending).code).toBe(0)
    expect(mailServer.taken()).toBe(1)
    // Marked as sent, or the next node would send it once more.
    const states = execFileSync(process.execPath, ['-e', outboxStates, join(folder, 'rekey.db')], {
      encoding: 'utf8',
    })
    expect(states.trim()).toBe('sent')
  })

  test('has metrics on port 9464 of loopback; a second node on the machine takes another, and names the setting', async () => {
    env.REKEY_METRICS_PORT = ''
    const nodes = [await node(), await node()]
    const ports = nodes.map(({ log }) => log.find(({ msg }) => msg === 'ready')?.metrics)
    // Another engine on this machine may have the port already.
    expect(new Set(ports).size).toBe(2)
    expect(ports[1]).not.toBe('127.0.0.1:9464')
    expect(nodes[1]?.log.map(({ msg }) => String(msg)).join()).toContain('set REKEY_METRICS_PORT')
    for (const at of ports) expect((await fetch(`http://${at}/metrics`)).status).toBe(200)
  })

  test('has no listener for metrics where it is off, and has them on the public port where a setting asks for it', async () => {
    env.REKEY_METRICS_PORT = 'off'
    const config = { clients: [], metrics: { public: true } }
    writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify(config))
    const { url, log } = await node()
    expect(log.find(({ msg }) => msg === 'ready')?.metrics).toBe('off')
    expect((await fetch(`${url}/metrics`)).status).toBe(200)
  })

  test('announces its end before it closes its port, for as long as it is set to', async () => {
    env.REKEY_SHUTDOWN_DELAY = '4s'
    const { child, url, log } = await node()
    const metrics = `http://${log.find(({ msg }) => msg === 'ready')?.metrics}`
    expect((await fetch(`${url}/health/ready`)).headers.get('connection')).toBe('keep-alive')
    const ending = end(child)
    await until(async () => (await fetch(`${url}/health/ready`)).status === 503)
    expect((await fetch(`${metrics}/health/ready`)).status).toBe(503)
    const answer = await fetch(`${url}/oauth2/default/v1/keys`)
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    const { code, ms } = await ending
    expect(code).toBe(0)
    expect(ms).toBeGreaterThan(4000)
    expect(ms).toBeLessThan(onThisMachine(9500))
  })

  test('answers one more request on a connection that was open when it closed its port', async () => {
    env.REKEY_SHUTDOWN_DELAY = '1s'
    const { child, url } = await node()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async () => {
      const [answer] = await once(get(`${url}/health/live`, { agent }), 'response')
      answer.resume()
      await once(answer, 'end')
      return [answer.statusCode, answer.headers.connection]
    }
    expect(await ask()).toEqual([200, 'keep-alive'])
    const ending = end(child)
    await until(async () => !(await listens(url)))
    expect(await ask()).toEqual([200, 'close'])
    expect((await ending).code).toBe(0)
  })

  test('ends at once at a second signal', async () => {
    env.REKEY_SHUTDOWN_DELAY = '1m'
    const { child, url } = await node()
    const ending = end(child)
    await until(async () => (await fetch(`${url}/health/ready`)).status === 503)
    // One that comes in the same moment is the same Ctrl+C.
    await new Promise((resolve) => setTimeout(resolve, 600))
    child.kill('SIGTERM')
    const { code, ms } = await ending
    expect(code).toBe(130)
    expect(ms).toBeLessThan(30_000)
  })

  test('drains at SIGHUP, too, with a code after which a service manager starts it again', async () => {
    const { child } = await node()
    expect((await end(child, 'SIGHUP')).code).toBe(129)
  })

  test('does not wait for connections that have sent nothing', async () => {
    const { child, url } = await node()
    const silent = connect(Number(new URL(url).port), '127.0.0.1')
    silent.on('error', () => {})
    await once(silent, 'connect')
    await fetch(`${url}/health/live`, { headers: { connection: 'close' } })
    const { code, ms } = await end(child)
    expect(code).toBe(0)
    expect(ms).toBeLessThan(onThisMachine(1900))
    silent.destroy()
  })

  test('ends within ten seconds although somebody never finishes a request', async () => {
    const { child, url } = await node()
    const half = request(`${url}/oauth2/default/v1/interact`, {
      method: 'POST',
      headers: { 'content-length': '100' },
    })
    half.on('error', () => {})
    half.write('client_id=shop')
    await until(() => half.socket?.bytesWritten !== undefined && half.socket.bytesWritten > 0)
    await fetch(`${url}/health/live`, { headers: { connection: 'close' } })
    const { code, ms } = await end(child)
    half.destroy()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(onThisMachine(10_000))
  })

  test('loads nothing that only development or PostgreSQL needs', async () => {
    const [list, hook] = [join(folder, 'loaded'), join(folder, 'hook.mjs')]
    writeFileSync(hook, hookSource)
    Object.assign(env, { NODE_OPTIONS: `--import=${hook}`, LOADED: list })
    const { child } = await node()
    await end(child)
    const loaded = readFileSync(list, 'utf8').split('\n')
    expect(loaded.filter((url) => url.includes('/dist/chunks/serve.js'))).toHaveLength(1)
    const superfluous =
      /smtp-server|mailparser|\/dist\/testing\/|\/dist\/chunks\/dev|zxcvbn|node_modules\/(pg|yaml|qrcode|typebox|kysely)\//
    expect(loaded.filter((url) => superfluous.test(url))).toEqual([])
  })
})

const hookSource = `
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  registerHooks({
    load(url, context, next) {
      appendFileSync(process.env.LOADED, url + '\\n')
      return next(url, context)
    },
  })
`

const outboxStates = `
  const { DatabaseSync } = require('node:sqlite')
  const rows = new DatabaseSync(process.argv[1]).prepare('select status from outbox').all()
  console.log(rows.map(({ status }) => status).join())
`
