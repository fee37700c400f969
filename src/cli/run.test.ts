import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { run as runCommand } from './run.ts'
import type { Terminal } from './terminal.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a command line with a terminal that cannot ask questions, and returns its output. */
async function call(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const written = { stdout: '', stderr: '' }
  const cannotAsk = async () => {
    throw new Error('this terminal cannot ask questions')
  }
  const terminal: Terminal = {
    env,
    folder,
    isRead: false,
    isInteractive: false,
    print(line) {
      written.stdout += `${line}\n`
    },
    note(line) {
      written.stderr += `${line}\n`
    },
    style: (_, text) => text,
    ask: cannotAsk,
    askSecret: cannotAsk,
    progress: () => {},
    readInput: async () => '',
  }
  const code = await runCommand(words, terminal)
  return { code, ...written }
}
const run = (line: string, env: Readonly<Record<string, string>> = {}) => call(line.split(' '), env)

describe('the command line', () => {
  test.each([
    ['keys revoke', 'keys revoke'],
    ['serve --port abc', 'serve'],
    ['export', 'export'],
    ['user list one two', 'user list'],
    ['serve --migrate=perhaps', 'serve'],
  ])('a wrong `rekey %s` names the help of its command', async (line, name) => {
    const { code, stderr } = await run(line)
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(new RegExp(`\\nsee: rekey ${name} --help\\n?$`)),
    ])
  })

  test('prints the overview as a result with --help, and as an error without arguments', async () => {
    const asked = await run('--help')
    expect(asked).toMatchObject({ code: 0, stderr: '' })
    for (const { name, summary } of commands) {
      expect(asked.stdout).toContain(`  ${name} `)
      expect(asked.stdout).toContain(summary)
    }
    expect(await call([])).toEqual({ code: 2, stdout: '', stderr: asked.stdout })
  })

  test.each(commands.map(({ name }) => name))('explains %s with examples', async (name) => {
    const { code, stdout, stderr } = await run(`${name} --help`)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^usage: rekey ${name} .*\\[options\\]\n`))
    expect(stdout).toMatch(/\nexamples:\n {2}\S.*\n(?: {4}\S.*\n)* {6}\S/)
    expect(stdout.split('\n').filter((line) => line.length > 90)).toEqual([])
  })

  test.each(['--version', '-v', '-V', 'version'])('prints its version for %s', async (line) => {
    expect(await run(line)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  test.each([
    ['serv', 'there is no command "serv"; did you mean serve?'],
    ['token create', 'there is no command "token create"; did you mean token add?'],
    ['token delete', 'there is no command "token delete"; did you mean token revoke?'],
    ['user new', 'there is no command "user new"; did you mean user add?'],
    ['user delete', 'there is no command "user delete"; did you mean user remove?'],
    ['keys rotat', 'there is no command "keys rotat"; did you mean keys rotate?'],
    [
      'user',
      'choose one of: rekey user add, rekey user list, rekey user remove, rekey user erase, rekey user activate, rekey user set-password, rekey user factors list, rekey user factors remove, rekey user factors reset',
    ],
    [
      'user factors',
      'choose one of: rekey user factors list, rekey user factors remove, rekey user factors reset',
    ],
    ['user factors rm', 'there is no command "user factors rm"; did you mean user factors remove?'],
    ['deploy', 'there is no command "deploy"'],
    ['dev --inbox-prot 1', 'there is no option --inbox-prot; did you mean --inbox-port?'],
    ['dev --port', '--port needs a value'],
    ['dev --no-app=1', '--no-app takes no value'],
    ['dev 9000', 'unexpected argument "9000"'],
    ['user add', 'the login is missing'],
    ['user list --limit 0', '--limit must be a whole number from 1 to 100000, not "0"'],
    ['user add ada --password x', 'a password cannot be an argument'],
    ['user add ada --status GONE', '--status must be one of STAGED, '],
    ['token add ci --role root', '--role must be one of read, users, all'],
  ])('refuses "%s" with exit code 2 and a correction', async (line, words) => {
    const { code, stdout, stderr } = await run(line)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`rekey: ${words}`)
  })

  test('takes the id of a key that begins with a hyphen', async () => {
    const kid = `-${'aB3_-'.repeat(8)}xy`
    const { code, stderr } = await run(`keys revoke ${kid} --json`)
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('there is no option')])
  })

  test('explains what to do if there is no database', async () => {
    const none = await run('user list')
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(none.stderr).toMatch(/set DATABASE_URL, or start rekey dev first/)
    const REKEY_SECRET = 'a master secret of 32 characters or more'
    const mistyped = await run('user list', { DATABASE_URL: 'sqlite:mistyped.db', REKEY_SECRET })
    expect(mistyped.stderr).toBe('rekey: mistyped.db does not exist yet: create it with rekey migrate\n')
    expect(existsSync(join(folder, 'mistyped.db'))).toBe(false)
    const unavailable = await run('user list', {
      DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x',
      REKEY_SECRET,
    })
    expect(unavailable.stderr).toMatch(/^rekey: no server answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/)
    expect(unavailable.stderr).not.toContain('canary')
  })
})

describe('rekey config', () => {
  const env = {
    REKEY_SECRET: 'canary-of-the-master-secret-which-is-long-enough',
    DATABASE_URL: 'postgres://rekey:canary@db.example.com/rekey',
    SMTP_URL: 'smtp://user:canary@mail.example.com',
    REKEY_API_TOKEN: 'canary-of-the-token-which-is-long-enough',
    REKEY_ISUER: 'https://id.example.com',
  }
  beforeAll(() => {
    const clients = [{ id: 'shop', label: 'Shop', secret: 'canary-of-the-client', redirectUris: [] }]
    writeFileSync(join(folder, 'named.json'), JSON.stringify({ clients, org: { name: 'Example' } }))
  })

  test('prints every setting in force with its source, and no secret', async () => {
    const { code, stdout, stderr } = await run('config --config named.json', env)
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^database\.url +DATABASE_URL +postgres:\/\/rekey:hidden@db\.example\.com\/rekey$/m,
    )
    expect(stdout).toMatch(/^org\.name +named\.json +Example$/m)
    expect(stdout).toMatch(/^clients +named\.json +shop$/m)
    expect(stdout).toMatch(/^secrets +REKEY_SECRET +\[hidden\]$/m)
    expect(stdout).toMatch(/^http\.port +default +9000$/m)
    expect(stderr).toContain('REKEY_ISUER sets nothing; did you mean REKEY_ISSUER?')
    expect(stdout + stderr).not.toContain('canary')
  })

  test('prints the same for programs', async () => {
    const { stdout } = await run('config --config named.json --json', env)
    const settings: { option: string; value: unknown; source: string }[] = JSON.parse(stdout)
    expect(settings.find(({ option }) => option === 'clients')).toMatchObject({
      source: 'named.json',
      value: [{ id: 'shop', secret: '[hidden]' }],
    })
    expect(stdout).not.toContain('canary')
  })

  test('checks as production does', async () => {
    const unsafe = await run('config --check --config named.json', env)
    expect(unsafe).toMatchObject({ code: 1, stdout: '' })
    expect(unsafe.stderr).toContain('issuer: set REKEY_ISSUER')
    const sound = await run('config --check --config named.json', {
      ...env,
      REKEY_ISSUER: 'https://id.example.com',
    })
    expect(sound.code).toBe(0)
  })
})
