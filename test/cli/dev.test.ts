import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { newVisitor } from '../../src/testing/index.ts'
import { newPlainBrowser } from '../journeys/plain-browser.ts'
import { onThisMachine } from '../support/machine.ts'
import { sdk } from '../support/sdk.ts'
import { anyPorts, type Dev, end, listens, rekey, start, startDev, until } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

let folder: string
const running: Dev[] = []

const newFolder = () => mkdtempSync(join(tmpdir(), 'rekey-dev-'))
const begin = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Dev> => {
  const dev = await startDev(args, { folder, env })
  running.push(dev)
  return dev
}
async function endAll(): Promise<void> {
  for (const dev of running.splice(0)) await dev.end('SIGKILL')
}

const json = async (url: string, method = 'GET', body?: object) => {
  const response = await fetch(url, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  return { status: response.status, body: (await response.json()) as any }
}

/** The published SDK, as the app of this engine would use it. */
const authOf = (dev: Dev) => sdk(dev)
const signIn = async (dev: Dev, username: string, password: string) =>
  (await authOf(dev).idx.authenticate({ username, password })).status

describe('a development engine in memory', () => {
  let dev: Dev
  beforeAll(async () => {
    folder = newFolder()
    dev = await begin([...anyPorts, '--data', 'memory'])
  })
  afterAll(async () => {
    await endAll()
    rmSync(folder, { recursive: true })
  })

  test('lets the user of the sample app add every method, and offers none of them at a sign-in or in a recovery', async () => {
    const browser = newPlainBrowser(dev.appUrl ?? '')
    const { login: username, password } = dev.person
    expect(await browser.submit('/login', { username, password: password ?? '' })).toBe('/')
    const { text } = await browser.visit('/methods')
    for (const name of ['Phone', 'Passkey', 'Security Question', 'Google Authenticator', 'Recovery Codes'])
      expect(text).toMatch(new RegExp(`<strong id="add-\\w+">${name}<`))

    const { nextStep } = await authOf(dev).idx.recoverPassword({ username })
    expect(nextStep?.inputs?.[0]?.options).toEqual([{ label: 'Email', value: 'okta_email' }])
  })

  test('locks an account after five wrong passwords, and lets its user open it again', async () => {
    const login = 'locked@example.com'
    const person = { login, password: 'Marmalade-Harbour-31' }
    const made = await json(`${dev.controlUrl}/people`, 'POST', person)
    expect(made.status).toBe(201)
    for (let attempt = 0; attempt < 5; attempt++) await signIn(dev, login, 'not the password').catch(() => {})
    const found = async () => (await json(`${dev.controlUrl}/people?login=${login}`)).body[0].status
    expect(await found()).toBe('LOCKED_OUT')
    const unlock = await authOf(dev).idx.unlockAccount({ username: login, authenticator: 'okta_email' })
    expect(unlock.nextStep?.name).toBe('challenge-authenticator')
    const { body: mail } = await json(`${dev.controlUrl}/messages/wait?to=${login}&timeout=10000`)
    expect(mail.template).toBe('SelfServiceUnlock')
  })

  test('prints one line of JSON, and every address in it answers', async () => {
    expect(dev.stdout().split('\n')).toHaveLength(1)
    expect(dev).toMatchObject({
      ready: true,
      issuer: `${dev.engineUrl}/oauth2/default`,
      orgIssuer: dev.engineUrl,
      signInUrl: `${dev.engineUrl}/signin`,
      signUp: true,
      clientId: expect.any(String),
      clientSecret: expect.any(String),
      redirectUri: `${dev.appUrl}/login/callback`,
      publicClientId: expect.any(String),
      apiToken: expect.any(String),
      person: { login: 'mary@example.com', password: expect.any(String) },
    })
    const discovery = await json(`${dev.issuer}/.well-known/openid-configuration`)
    expect(discovery.body.issuer).toBe(dev.issuer)
    const org = await json(`${dev.orgIssuer}/.well-known/openid-configuration`)
    expect(org.body.issuer).toBe(dev.orgIssuer)
    const page = await fetch(dev.appUrl ?? '')
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ])
    expect((await json(`${dev.controlUrl}/clock`)).body.now).toMatch(/^\d{4}-/)
    expect(await listens(dev.smtpUrl)).toBe(true)
  })

  test('lets a visitor sign up at once', async () => {
    const visitor = newVisitor(dev)
    await visitor.begins()
    expect(visitor.remediations).toContain('select-enroll-profile')
    await visitor.submits('enroll')
    const userProfile = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
    await visitor.submits('enroll/new', { userProfile })
    const { body: mail } = await json(`${dev.controlUrl}/messages/wait?to=${userProfile.email}&timeout=10000`)
    expect(mail.template).toBe('RegistrationEmailVerification')
    await visitor.answers(mail.code)
    await visitor.enrolls('okta_password')
    await visitor.answers('Analytical-Engine-1843')
    expect(visitor.response.interactionCode).toBeDefined()
  })

  test('prints all that a visitor of the kit needs', async () => {
    expect((await newVisitor(dev).signsIn()).interactionCode).toBeDefined()
  })

  test('signs its person in, and a person that was added', async () => {
    expect(await signIn(dev, dev.person.login, dev.person.password ?? '')).toBe('SUCCESS')
    const added = await json(`${dev.controlUrl}/people`, 'POST', {
      login: 'ada@example.com',
      password: 'Analytical-Engine-1843',
    })
    expect(added).toMatchObject({
      status: 201,
      body: { id: expect.stringMatching(/^00u/), status: 'ACTIVE' },
    })
    expect(await signIn(dev, 'ada@example.com', 'Analytical-Engine-1843')).toBe('SUCCESS')
  })

  test('recovers a password with the code from its inbox; moved time ends a code; reset brings all back', async () => {
    await json(`${dev.controlUrl}/reset`, 'POST')
    const auth = authOf(dev)
    await auth.idx.recoverPassword({ username: dev.person.login, authenticators: ['okta_email'] })
    const mail = await json(`${dev.controlUrl}/messages/wait?to=${dev.person.login}&timeout=10000`)
    expect(mail.body).toMatchObject({ to: dev.person.login, code: expect.stringMatching(/^\d{6}$/) })
    await json(`${dev.controlUrl}/clock`, 'POST', { advance: '6m' })
    const late = await auth.idx.proceed({ verificationCode: mail.body.code })
    expect(late.nextStep?.name).toBe('challenge-authenticator')
    expect(late.messages?.[0]?.class).toBe('ERROR')

    const again = authOf(dev)
    await again.idx.recoverPassword({ username: dev.person.login, authenticators: ['okta_email'] })
    const second = await json(`${dev.controlUrl}/messages/wait?after=${mail.body.id}&timeout=10000`)
    await again.idx.proceed({ verificationCode: second.body.code })
    expect((await again.idx.proceed({ password: 'Lighthouse-Biscuit-77' })).status).toBe('SUCCESS')

    await json(`${dev.controlUrl}/reset`, 'POST')
    expect((await json(`${dev.controlUrl}/messages`)).body).toEqual([])
    expect(await signIn(dev, dev.person.login, dev.person.password ?? '')).toBe('SUCCESS')
  })

  test('takes browser apps on any localhost address, without a secret', async () => {
    const { publicClientId, issuer } = dev
    const auth = sdk(
      { ...dev, publicClientId, issuer, redirectUri: 'http://localhost:5173/callback' },
      { client: 'public' },
    )
    const done = await auth.idx.authenticate({
      username: dev.person.login,
      password: dev.person.password ?? '',
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('answers the management API with its token, after a reset as well', async () => {
    const logs = () =>
      fetch(`${dev.engineUrl}/api/v1/logs`, { headers: { authorization: `SSWS ${dev.apiToken}` } })
    expect((await logs()).status).toBe(200)
    await json(`${dev.controlUrl}/reset`, 'POST')
    expect((await logs()).status).toBe(200)
  })

  test('says which flag to use where a port is taken', async () => {
    const { port } = new URL(dev.engineUrl)
    const ran = await rekey(['dev', '--json', ...anyPorts, '--data', 'memory', '--port', port], { folder })
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(new RegExp(`port ${port} is in use.*rekey dev --port ${Number(port) + 1}`))

    const app = new URL(dev.appUrl ?? '').port
    const second = await rekey(['dev', ...anyPorts, '--data', 'memory', '--app-port', app], { folder })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`port ${app} is in use`)
    expect(second.stderr).toContain('--app-port')
  })

  test('names all taken ports at once, in the form that it was started by (N-m5)', async () => {
    const [engine, app, inbox, smtp] = [dev.engineUrl, dev.appUrl ?? '', dev.controlUrl, dev.smtpUrl].map(
      (url) => new URL(url).port,
    )
    const flags = ['--port', engine, '--app-port', app, '--inbox-port', inbox, '--smtp-port', smtp].map(
      String,
    )
    const env = { npm_lifecycle_event: 'start', npm_lifecycle_script: 'exec node bin/rekey.cjs dev' }
    const ran = await rekey(['dev', '--json', ...flags, '--data', 'memory'], { folder, env })
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(
      new RegExp(
        `ports ${engine}, ${app}, ${inbox} and ${smtp} are in use: .*npm start -- --port \\d+ --app-port \\d+ --inbox-port \\d+ --smtp-port \\d+ \\(0: any free port\\)`,
      ),
    )
    const [, ...free] =
      /--port (\d+) --app-port (\d+) --inbox-port (\d+) --smtp-port (\d+) \(/.exec(ran.stderr) ?? []
    expect(new Set(free).size).toBe(4)
    for (const port of free) expect(await listens(`http://localhost:${port}`)).toBe(false)

    const twice = await rekey(
      ['dev', ...anyPorts, '--data', 'memory', '--port', '7777', '--app-port', '7777'],
      { folder },
    )
    expect(twice.stderr).toContain('--port and --app-port are both 7777')
  })

  // The last one: it ends the engine of the others.
  test('ends with 0 within five seconds when it is told to, and its app with it', async () => {
    const { code, ms } = await dev.end()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(onThisMachine(5000))
    for (const url of [dev.engineUrl, dev.appUrl ?? '', dev.controlUrl, dev.smtpUrl]) {
      expect(await listens(url)).toBe(false)
    }
  })
})

describe('a development engine', () => {
  beforeEach(() => {
    folder = newFolder()
  })
  afterEach(async () => {
    await endAll()
    rmSync(folder, { recursive: true })
  })

  test('takes its app along when it is killed', async () => {
    const dev = await begin([...anyPorts, '--data', 'memory'])
    expect(await listens(dev.appUrl ?? '')).toBe(true)
    await dev.end('SIGKILL')
    await until(async () => !(await listens(dev.appUrl ?? '')))
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends on %s with 0 while it is still starting',
    async (signal) => {
      const child = start(['dev', '--json', ...anyPorts], { folder })
      await until(() => existsSync(join(folder, '.rekey/rekey.db')))
      expect((await end(child, signal)).code).toBe(0)
    },
  )

  test('keeps people, client and tokens from one run to the next, for its owner alone', async () => {
    const first = await begin([...anyPorts, '--no-app'])
    expect(first.appUrl).toBeNull()
    const keys = (await json(`${first.issuer}/v1/keys`)).body.keys
    await json(`${first.controlUrl}/people`, 'POST', {
      login: 'ada@example.com',
      password: 'Analytical-Engine-1843',
    })
    await json(`${first.controlUrl}/clock`, 'POST', { advance: '2h' })
    await authOf(first).idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
    expect((await first.end()).code).toBe(0)

    const second = await begin([...anyPorts, '--no-app', '--app-port', '8099'])
    expect(second).toMatchObject({ clientSecret: first.clientSecret, apiToken: first.apiToken })
    expect((await json(`${second.issuer}/v1/keys`)).body.keys).toEqual(keys)
    expect(await signIn(second, 'ada@example.com', 'Analytical-Engine-1843')).toBe('SUCCESS')
    // A clock that was moved stands where everybody's stands after a new start, and goes.
    const { now } = (await json(`${second.controlUrl}/clock`)).body
    expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000)

    // Another address of the app is no difference between nodes to warn of.
    await second.end()
    expect(await second.complaints).not.toContain('the configuration differs')

    const mode = (path: string) => statSync(join(folder, path)).mode & 0o777
    expect(mode('.rekey')).toBe(0o700)
    expect(
      ['secret', 'client-secret', 'api-token', 'rekey.db'].map((name) => mode(join('.rekey', name))),
    ).toEqual([0o600, 0o600, 0o600, 0o600])
    expect(readFileSync(join(folder, '.rekey/.gitignore'), 'utf8')).toBe('*\n')
  })

  test('refuses a folder that another process uses, until that has ended, however it ends (N-p8)', async () => {
    const first = await begin([...anyPorts, '--no-app'])
    const second = await rekey(['dev', ...anyPorts, '--no-app'], { folder })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(
      `another rekey dev uses .rekey/ (process ${first.child.pid}, inbox ${first.controlUrl}): stop it, or choose another folder: rekey dev --data .rekey-2`,
    )
    // Other commands use the data beside it.
    expect((await rekey(['events'], { folder })).code).toBe(0)
    await first.end('SIGKILL')
    const third = await begin([...anyPorts, '--no-app'])
    expect((await third.end()).code).toBe(0)
    expect((await begin([...anyPorts, '--no-app'])).ready).toBe(true)
  })

  test('does not claim a password that its person has changed', async () => {
    const first = await begin([...anyPorts, '--no-app'])
    const input = 'Lighthouse-Biscuit-77\n'
    const set = await rekey(['user', 'set-password', first.person.login], { folder, input })
    expect(set.code).toBe(0)
    expect(await signIn(first, first.person.login, first.person.password ?? '')).toBe('PENDING')
    expect(await signIn(first, first.person.login, 'Lighthouse-Biscuit-77')).toBe('SUCCESS')
    await first.end()
    expect((await begin([...anyPorts, '--no-app'])).person).toEqual({
      login: 'mary@example.com',
      password: null,
    })
  })

  test('honours how a configuration file wants the engine, not where', async () => {
    writeFileSync(
      join(folder, 'rekey.config.json'),
      JSON.stringify({
        issuer: 'https://id.example.com',
        mode: 'production',
        database: { url: 'postgres://nobody@127.0.0.1:1/nothing' },
        policies: { password: { recovery: { authenticators: [] } } },
        people: [{ login: 'grace@example.com', password: 'Harvard-Mark-I-1944' }],
      }),
    )
    const env = {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      REKEY_ISSUER: 'https://id.example.com',
    }
    const dev = await begin([...anyPorts, '--no-app', '--data', 'memory'], env)
    expect(dev.issuer).toMatch(/^http:\/\/localhost:\d+\/oauth2\/default$/)
    expect(await signIn(dev, 'grace@example.com', 'Harvard-Mark-I-1944')).toBe('SUCCESS')
    expect((await authOf(dev).idx.start()).enabledFeatures).not.toContain('recover-password')
  })

  test('refuses a configuration that cannot be used, and a port that is none', async () => {
    writeFileSync(join(folder, 'rekey.config.json'), '{ "polices": {}, "lifetimes": { "code": "soon" } }')
    const ran = await rekey(['dev', ...anyPorts, '--data', 'memory'], { folder })
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain('polices: there is no such option; did you mean policies?')
    expect(ran.stderr).toContain('lifetimes.code: must be a span')
    const port = await rekey(['dev', '--port', 'nine'], { folder })
    expect(port.code).toBe(2)
    expect(port.stderr).toContain('--port must be a whole number from 0 to 65535, not "nine"')
  })
})
