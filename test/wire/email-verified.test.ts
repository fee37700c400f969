import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { newVisitor } from './visitor.ts'

const password = 'Tangerine-Kettle-42'
const newPassword = 'Lighthouse-Biscuit-77'

onEachDatabase('email_verified', (database) => {
  let idp: Kit
  let api: Api
  let url: string
  let drop: () => Promise<void>
  let users = 0

  beforeAll(async () => {
    const created = await database.create()
    ;({ url, drop } = created)
    idp = await startEngine({ database: url })
    api = apiOf(idp)
  })
  afterAll(async () => {
    await idp.close()
    await drop()
  })

  async function newUser(more: object = { credentials: { password: { value: password } } }) {
    const login = `user${++users}@example.com`
    const { body, text } = await api('POST', '/users', { profile: { login, email: login }, ...more })
    expect(body.id, text).toMatch(/^00u/)
    return { id: body.id, login }
  }

  /** What the ID token, userinfo and the Users API say; they must not differ. */
  async function claimed(login: string): Promise<unknown> {
    const { idToken = '', accessToken } = await idp.signInAs(login, { scopes: ['openid', 'email'] })
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
    const headers = { authorization: `Bearer ${accessToken}` }
    const info = (await (await fetch(`${idp.issuer}/v1/userinfo`, { headers })).json()) as object
    const { body } = await api('GET', `/users/${login}`)
    const { emails } = body.credentials as { emails: readonly { status: string }[] }
    const { email_verified: verified } = claims
    expect(info).toMatchObject({ email_verified: verified })
    expect(emails).toMatchObject([{ status: verified ? 'VERIFIED' : 'UNVERIFIED', type: 'PRIMARY' }])
    return verified
  }

  const recovers = async (login: string): Promise<Visitor> => {
    const visitor = await newVisitor(idp).atTheReset(login)
    expect((await visitor.answers(newPassword)).status).toBe(200)
    return visitor
  }

  const setsPasswordBy = async (token: string): Promise<void> => {
    const visitor = newVisitor(idp)
    await visitor.begins({ recovery_token: token })
    await visitor.introspects()
    expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  }

  const tokenIn = (link: unknown): string => String(link).split('/').at(-1) ?? ''

  test('of a user that an administrator or the kit has created is false, whatever the password', async () => {
    expect(await claimed((await newUser()).login)).toBe(false)
    const ada = await idp.people.add({ login: `ada${++users}@example.com`, password })
    expect(await claimed(ada.login)).toBe(false)
    const eve = await idp.people.add({ login: `eve${++users}@example.com`, password, emailVerified: true })
    expect(await claimed(eve.login)).toBe(true)
  })

  test('is true once a code that came by mail was answered, and not before', async () => {
    const { login } = await newUser()
    const visitor = await newVisitor(idp).atTheCode(login)
    await visitor.answers('000000')
    expect(await claimed(login)).toBe(false)
    await visitor.answers((await visitor.mail()).code)
    expect(await claimed(login)).toBe(true)
  })

  test('is false again where the email changes, with and without a password, and by a node of before', async () => {
    for (const change of [
      (id: string) => api('POST', `/users/${id}`, { profile: { email: `new.${id}@example.com` } }),
      (id: string, login: string) =>
        api('PUT', `/users/${id}`, { profile: { login, email: `new.${id}@example.com` } }),
      // A version of before knows nothing of the columns.
      async (id: string, login: string) => {
        const email = `new.${id}@example.com`.toLowerCase()
        await idp.engine.storage.db
          .updateTable('people')
          .set({ email, email_key: email, profile: JSON.stringify({ login, email }) })
          .where('id', '=', id)
          .execute()
      },
    ]) {
      const { id, login } = await newUser()
      await recovers(login)
      expect(await claimed(login)).toBe(true)
      await change(id, login)
      expect(await claimed(login)).toBe(false)
    }
  })

  test('is false where an email came back to the user that was another one meanwhile', async () => {
    const { id, login } = await newUser()
    await recovers(login)
    await api('POST', `/users/${id}`, { profile: { email: `new.${login}` } })
    await api('POST', `/users/${id}`, { profile: { email: login } })
    expect(await claimed(login)).toBe(false)
  })

  test.each([
    ['a fullwidth letter', (login: string) => login.replace('user', '\uff55ser')],
    ['a long s', (login: string) => login.replace('user', 'u\u017fer')],
  ])('is false for another mailbox that names the same user: %s', async (_, spelled) => {
    const changes: ((id: string, email: string, login: string) => Promise<unknown>)[] = [
      (id, email) => api('POST', `/users/${id}`, { profile: { email } }),
      // A node of before keeps the columns of the proof.
      (id, email, login) =>
        idp.engine.storage.db
          .updateTable('people')
          .set({ email, profile: JSON.stringify({ login, email }) })
          .where('id', '=', id)
          .execute(),
    ]
    for (const change of changes) {
      const { id, login } = await newUser()
      await recovers(login)
      expect(await claimed(login)).toBe(true)
      const other = spelled(login)
      await change(id, other, login)
      expect((await api('GET', `/users/${id}`)).body.profile).toMatchObject({ email: other })
      expect(await claimed(login)).toBe(false)
    }
    // The proof does not come back with the address: the last of the changes that this node has made ended it.
    const { id, login } = await newUser()
    await recovers(login)
    await api('POST', `/users/${id}`, { profile: { email: spelled(login) } })
    await api('POST', `/users/${id}`, { profile: { email: login } })
    expect(await claimed(login)).toBe(false)
  })

  test('both of two mailboxes that name the same user read that the email has changed', async () => {
    const { id, login } = await newUser()
    const other = login.replace('user', '\uff55ser')
    await api('POST', `/users/${id}`, { profile: { email: other } })
    const recipients = async () =>
      (await idp.outbox.all()).filter(({ template }) => template === 'EmailChanged').map(({ to }) => to)
    await expect.poll(recipients).toEqual(expect.arrayContaining([login, other]))
  })

  test('stays true where the profile changes otherwise, the spelling of the email too', async () => {
    const { id, login } = await newUser()
    await recovers(login)
    await api('POST', `/users/${id}`, { profile: { firstName: 'Grace' } })
    expect(await claimed(login)).toBe(true)
    await api('POST', `/users/${id}`, { profile: { email: login.toUpperCase() } })
    expect(await claimed(login)).toBe(true)
  })

  test('is true after the link of an activation or of an administrator’s reset that came by mail', async () => {
    const invited = await newUser({})
    await setsPasswordBy(tokenIn((await idp.outbox.waitFor({ to: invited.login })).link))
    expect(await claimed(invited.login)).toBe(true)

    const reset = await newUser()
    await api('POST', `/users/${reset.id}/lifecycle/reset_password`)
    await setsPasswordBy(tokenIn((await idp.outbox.waitFor({ to: reset.login })).link))
    expect(await claimed(reset.login)).toBe(true)
  })

  test('stays false where the administrator got the token in place of the mailbox', async () => {
    const { id, login } = await newUser()
    const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)
    await setsPasswordBy(tokenIn(body.resetPasswordUrl))
    expect(await claimed(login)).toBe(false)
  })

  test('moves with an export, and a file of before has it as false', async () => {
    const { id, login } = await newUser()
    await recovers(login)
    const second = `second.${login}`
    await idp.engine.people.verifySecondEmail(id, second)
    const before = await newUser()
    await recovers(before.login)
    const folder = await mkdtemp(join(tmpdir(), 'rekey-verified-'))
    const other = await database.create()
    try {
      const env = (at: string) => ({
        DATABASE_URL: at,
        REKEY_SECRET: 'only for tests: everybody knows this secret',
      })
      const file = join(folder, 'all.jsonl')
      const exported = await callCommand(['export', file], { folder, env: env(url) })
      expect(exported, exported.stderr).toMatchObject({ code: 0 })
      // An older export has neither member.
      const lines = (await readFile(file, 'utf8')).split('\n').map((line) => {
        if (!line.includes(`"id":"${before.id}"`)) return line
        return JSON.stringify(JSON.parse(line), (name, value) => (/verified/.test(name) ? undefined : value))
      })
      await writeFile(file, lines.join('\n'))
      const imported = await callCommand(['import', file], { folder, env: env(other.url) })
      expect(imported, imported.stderr).toMatchObject({ code: 0 })
      const there = await startEngine({ database: other.url })
      try {
        const { body } = await apiOf(there)('GET', `/users/${id}`)
        expect(body.credentials).toMatchObject({
          emails: [
            { value: login, status: 'VERIFIED', type: 'PRIMARY' },
            { value: second, status: 'VERIFIED', type: 'SECONDARY' },
          ],
        })
        // Codes go to both addresses there, too.
        await newVisitor(there).atTheCode(login)
        await there.outbox.waitFor({ to: second, template: 'ForgotPassword' })
        const { credentials } = (await apiOf(there)('GET', `/users/${before.id}`)).body
        expect(credentials).toMatchObject({ emails: [{ value: before.login, status: 'UNVERIFIED' }] })
      } finally {
        await there.close()
      }
    } finally {
      await other.drop()
      await rm(folder, { recursive: true })
    }
  })
})
