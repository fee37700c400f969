import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, newVisitor, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { claimsOf } from '../support/sign-up.ts'
import { callCommand } from './terminal.ts'

const secret = 'only for tests: everybody knows this secret'
const ada = 'ada@example.com'

let idp: Kit
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-invite-'))
  idp = await startEngine({
    database: `sqlite:${join(folder, 'rekey.db')}`,
    settings: { management: { activationPage: 'http://localhost:8080/welcome?token={token}' } },
  })
})
beforeEach(() => idp.reset())
afterAll(async () => {
  await idp.close()
  rmSync(folder, { recursive: true })
})

const env = () => ({ DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`, REKEY_SECRET: secret })
const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  callCommand(['invite', ...words], { folder, env: { ...env(), REKEY_ISSUER: idp.engineUrl, ...more } })
const userOf = async (login = ada) => (await apiOf(idp)('GET', `/users/${login}`)).body
/** The token of the newest mail to an address. */
async function invitation(to = ada): Promise<string> {
  idp.engine.delivery.wake()
  const { link, template } = await idp.outbox.waitFor({ to })
  expect(template).toBe('UserActivation')
  return link?.split('/').at(-1) ?? ''
}

describe('rekey invite', () => {
  test('makes the user and mails the link, by which the account is completed with a proven mailbox', async () => {
    const { code, stdout } = await run([ada, '--first-name', 'Ada', '--last-name', 'Byron', '--json'])
    expect(code).toBe(0)
    const shown = JSON.parse(stdout)
    expect(shown).toMatchObject({
      status: 'PROVISIONED',
      profile: { login: ada, email: ada, firstName: 'Ada', lastName: 'Byron' },
      invitation: { mailedTo: ada, isNew: true },
    })
    const days = (Date.parse(shown.invitation.expiresAt) - idp.clock.now()) / 86_400_000
    expect(days).toBeCloseTo(7, 1)
    const token = await invitation()
    // The mail alone has it.
    expect(stdout).not.toContain(token)

    const invited = newVisitor(idp, { parameters: { activation_token: token } })
    await invited.begins()
    await invited.enrolls('okta_password')
    await invited.answers('Marmalade-Harbour-31')
    expect(await claimsOf(invited)).toMatchObject({ email: ada, email_verified: true })
    expect(await userOf()).toMatchObject({ id: shown.id, status: 'ACTIVE' })

    const again = await run([ada])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('ada@example.com is ACTIVE')])
  })

  test('again mails another link, and the one before is worth nothing', async () => {
    expect((await run([ada])).stdout).toMatch(/^invited ada@example\.com \(00u\w{17}\): a mail to ada@/)
    const first = await invitation()
    const { id } = await userOf()
    idp.outbox.clear()
    expect((await run([ada])).stdout).toMatch(/^invited again ada@example\.com/)
    const second = await invitation()
    expect((await userOf()).id).toBe(id)
    const begins = async (token: string) =>
      (await newVisitor(idp, { parameters: { activation_token: token } }).begins()).status
    await expect(begins(first)).rejects.toThrow(/400|activation/)
    expect(await begins(second)).toBe(200)
  })

  test('is in the log, as what the system has done', async () => {
    await run([ada])
    const { id } = await userOf()
    const events = (await idp.events()).filter(({ target }) => target?.some((one) => one.id === id))
    expect(events.map(({ eventType, actor }) => [eventType, actor?.id])).toEqual(
      expect.arrayContaining([
        ['user.lifecycle.create', 'system'],
        ['system.email.new_user.sent_message', 'system'],
      ]),
    )
  })

  test.each([
    ['no address', ['ada'], 2, /form of an email address/],
    ['nothing', [], 2, /email/],
    ['two addresses', [ada, 'b@example.com'], 2, /./],
    ['an address of the engine that is none', [ada, '--url', 'ftp://id.example.com'], 2, /http/],
  ])('refuses %s, and makes no user', async (_, words, code, why) => {
    const answered = await run(words)
    expect([answered.code, answered.stderr]).toEqual([code, expect.stringMatching(why)])
    expect((await apiOf(idp)('GET', `/users/${ada}`)).status).toBe(404)
  })

  test('needs to know where the link leads to', async () => {
    const { code, stderr } = await run([ada], { REKEY_ISSUER: '' })
    expect([code, stderr]).toEqual([1, expect.stringContaining('--url')])
    expect((await run([ada, '--url', `${idp.engineUrl}/`], { REKEY_ISSUER: '' })).code).toBe(0)
    expect(await invitation()).toMatch(/^[\w-]{20,}$/)
  })

  test('changes no user who was deactivated', async () => {
    const { id } = await idp.people.add({ login: ada, status: 'DEPROVISIONED' })
    expect((await run([ada])).code).toBe(1)
    expect(await userOf(id)).toMatchObject({ status: 'DEPROVISIONED' })
  })
})
