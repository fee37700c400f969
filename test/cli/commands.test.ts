import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { newBrowser, sdk } from '../support/sdk.ts'
import { anyPorts, type Dev, rekey, startDev } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (line: string, input?: string, env: Readonly<Record<string, string>> = {}) =>
  rekey(line.split(' '), { folder, env, ...(input !== undefined && { input }) })

test('exit codes tell programs how it went', async () => {
  expect(await run('--version')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^\d+\.\d+/),
  })
  expect(await run('serv')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('did you mean serve?'),
  })
  expect(await run('user list')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^rekey: /),
  })
})

describe('beside a running engine', () => {
  let dev: Dev
  const password = 'Analytical-Engine-1843'
  beforeAll(async () => {
    dev = await startDev([...anyPorts, '--no-app'], { folder })
  })
  afterAll(async () => {
    await dev.end('SIGKILL')
  })

  const auth = (browser = newBrowser()) =>
    sdk({ ...dev, redirectUri: 'http://localhost:8080/login/callback' }, { browser })
  const signIn = async (username: string, word: string) =>
    auth().idx.authenticate({ username, password: word })

  test('people are added, listed, changed and removed', async () => {
    const added = await run('user add ada --email ada@example.com --first-name Ada', `${password}\n`)
    expect(added).toMatchObject({ code: 0, stderr: '' })
    expect(added.stdout).toMatch(/^added ada \(00u\w{17}\)\n$/)
    const id = /00u\w{17}/.exec(added.stdout)?.[0] ?? ''

    const twice = await run('user add ada --email ada@example.org', `${password}\n`)
    expect(twice).toMatchObject({ code: 1, stdout: '' })
    expect(twice.stderr).toMatch(/^rekey: login: /)

    const listed = JSON.parse((await run('user list --json')).stdout)
    expect(listed).toContainEqual(
      expect.objectContaining({
        id,
        status: 'ACTIVE',
        lastLogin: null,
        profile: { login: 'ada', email: 'ada@example.com', firstName: 'Ada' },
      }),
    )
    expect((await run('user list')).stdout).toMatch(/^ada +ada@example\.com +ACTIVE +never +00u/m)
    const page = await run('user list --limit 1')
    expect(page.stderr).toMatch(/^there are more: rekey user list --after 00u\w{17}\n$/)

    expect((await signIn('ada', password)).status).toBe('SUCCESS')
    const asked = await run('user remove ada@example.com')
    expect(asked).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'rekey: cannot ask for confirmation here: add --yes\n',
    })
    expect((await signIn('ada', password)).status).toBe('SUCCESS')
    expect((await run('user remove ada@example.com --yes')).stdout).toBe(`removed ada (${id})\n`)
    expect((await signIn('ada', password)).status).toBe('PENDING')
    expect(await run('user erase ada')).toMatchObject({ code: 1, stdout: '' })
    const erased = await run('user erase ada --yes')
    expect(erased.stdout).toMatch(
      new RegExp(`^erased ada \\(${id}\\): \\d+ events, now of erased\\w{17}\\n$`),
    )
    expect((await run('events --json')).stdout).not.toContain(id)
    expect(await run('user erase ada --yes')).toMatchObject({ code: 1, stdout: '' })
    const gone = await run(`user remove ${id} --yes`)
    expect(gone).toMatchObject({ code: 1, stderr: `rekey: there is no user "${id}"; see: rekey user list\n` })
  })

  test('says why no event is shown', async () => {
    expect((await run('events --type user.session.strat')).stderr).toBe(
      'there is no event type "user.session.strat"; did you mean user.session.start?\n',
    )
    expect((await run('events --type user.account.lock')).stderr).toBe(
      'there are no events of the type user.account.lock\n',
    )
    expect((await run('events --transaction trs1')).stderr).toBe(
      'there are no events of the transaction trs1\n',
    )
  })

  test('a password that breaks the policy is refused, and none is none', async () => {
    const short = await run('user add bob@example.com', 'short\n')
    expect(short).toMatchObject({ code: 1, stdout: '' })
    expect(short.stderr).toContain('at least 12 characters')
    const none = await run('user add bob@example.com', '\n')
    expect(none.stderr).toBe('rekey: there is no password on standard input\n')
    expect((await run('user add bob@example.com --no-password --json')).stdout).toContain(
      '"passwordChanged": null',
    )
    expect((await signIn('bob@example.com', '')).status).toBe('PENDING')
  })

  test('a new password ends sessions, and codes that are under way', async () => {
    await run('user add grace@example.com', `${password}\n`)
    const { tokens } = await signIn('grace@example.com', password)
    const refresh = (token: string) =>
      fetch(`${dev.issuer}/v1/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: token,
          client_id: dev.clientId,
          client_secret: dev.clientSecret,
        }),
      })
    const recovering = auth()
    await recovering.idx.recoverPassword({ username: 'grace@example.com', authenticators: ['okta_email'] })
    const mail = await fetch(`${dev.controlUrl}/messages/wait?to=grace@example.com&timeout=10000`)
    const { code } = (await mail.json()) as { code: string }

    const set = await run('user set-password grace@example.com', 'Difference-Engine-1822')
    expect(set).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^new password for grace@example\.com/),
    })

    expect((await refresh(tokens?.refreshToken?.refreshToken ?? '')).status).toBe(400)
    const proceeded = await recovering.idx.proceed({ verificationCode: code }).catch((error) => error)
    expect(proceeded.nextStep?.name).not.toBe('reset-authenticator')
    expect((await signIn('grace@example.com', password)).status).toBe('PENDING')
    expect((await signIn('grace@example.com', 'Difference-Engine-1822')).status).toBe('SUCCESS')
  })

  test('what happened can be read: the log, the latest transactions, one of them', async () => {
    await signIn(dev.person.login, dev.person.password ?? '')
    const events = JSON.parse((await run('events --json --type user.lifecycle.create')).stdout)
    expect(events.length).toBeGreaterThan(0)
    const published = events.map((event: { published: string }) => event.published)
    expect(published).toEqual([...published].sort().reverse())
    expect((await run('events --limit 3')).stdout.trim().split('\n')).toHaveLength(3)

    const [latest] = JSON.parse((await run('trace --json')).stdout)
    expect(latest).toMatchObject({ intent: 'sign-in', identifier: dev.person.login, closed: 'completed' })
    const story = await run(`trace ${latest.id}`)
    expect(story.stdout).toContain(latest.id)
    expect(story.stdout).toContain(dev.person.login)
    expect(story.stdout).not.toContain(dev.person.password)
    expect(await run('trace trs0000000000000000')).toMatchObject({
      code: 1,
      stderr: 'rekey: there is no transaction "trs0000000000000000"; see: rekey trace\n',
    })
  })

  test('a rotated key signs, and the one before stays published', async () => {
    const published = async () => {
      const answer = await fetch(`${dev.issuer}/v1/keys`)
      return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    }
    const before = await published()
    const { stdout } = await run('keys rotate')
    expect(await published()).toEqual([stdout.trim(), ...before])
  })

  test('tokens of the management API are made, listed and ended', async () => {
    const call = (token: string) =>
      fetch(`${dev.engineUrl}/api/v1/logs`, { headers: { authorization: `SSWS ${token}` } })
    const added = await run('token add ci --json')
    expect(added.stderr).toBe('created token ci with role read; copy it now, it is not shown again\n')
    const made = JSON.parse(added.stdout)
    expect((await call(made.token)).status).toBe(200)
    const listed = await run('token list')
    expect(listed.stdout).toMatch(new RegExp(`^${made.id} +read `, 'm'))
    expect(listed.stdout).not.toContain(made.token)
    expect((await run(`token revoke ${made.id}`)).code).toBe(0)
    expect((await call(made.token)).status).toBe(401)
    expect((await run(`token revoke ${made.id}`)).code).toBe(1)
  })

  // `script` gives a program a terminal; it is part of every Linux.
  test.skipIf(!existsSync('/usr/bin/script'))(
    'a password is asked for on a terminal, and not shown',
    async () => {
      const bin = join(import.meta.dirname, '../../bin/rekey.cjs')
      const command = `${process.execPath} ${bin} user add joan@example.com`
      const child = spawn('/usr/bin/script', ['-qec', command, '/dev/null'], {
        cwd: folder,
        env: { PATH: process.env.PATH, TERM: 'xterm' },
      })
      let shown = ''
      let asked = 0
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        shown += chunk
        const questions = shown.match(/password: |once more: /g)?.length ?? 0
        if (questions > asked) {
          asked = questions
          child.stdin.write(`${password}\r`)
        }
      })
      await text(child.stderr)
      expect(asked).toBe(2)
      expect(shown).toContain('added joan@example.com')
      expect(shown).not.toContain(password)
      expect((await signIn('joan@example.com', password)).status).toBe('SUCCESS')
    },
  )
})
