import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { checkConfig } from '../../src/config/index.ts'
import { findPersonByIdentifier, sharedNames } from '../../src/directory/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { atTheCode, parallel, startTarget } from '../support/attacks.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'

const victim = { login: 'vick', email: 'vick@example.com' }
const mallory = 'mallory@evil.example'
const causeOf = ({ body }: Answered) => (body.errorCauses as { errorSummary: string }[])[0]?.errorSummary
const taken = (field: string) =>
  `${field}: An object with this field already exists in the current organization`

onEachDatabase('names of two users', (database) => {
  let idp: Kit
  let api: Api
  let url: string
  beforeAll(async () => {
    const made = await database.create()
    url = made.url
    idp = await startTarget({ database: url })
    api = apiOf(idp)
    return async () => {
      await idp.close()
      await made.drop()
    }
  })
  beforeEach(async () => {
    await idp.reset()
    await idp.people.add(victim)
  })
  const create = (login: string, email: string) => api('POST', '/users', { profile: { login, email } })

  test.each([
    ['login', 'vick@example.com', mallory],
    ['login', 'VICK@example.com', mallory],
    ['login', 'vick\uff20example.com', mallory],
    ['login', 'vick', mallory],
    ['email', 'mallory', 'vick@example.com'],
    ['email', 'mallory', 'Vick@EXAMPLE.com'],
  ])(
    'A55: a new user whose %s is a name of another user is refused (%s, %s)',
    async (field, login, email) => {
      const answered = await create(login, email)
      expect([answered.status, answered.body.errorCode]).toEqual([400, 'E0000001'])
      expect(causeOf(answered)).toBe(taken(field))
      await expect(idp.people.add({ login, email })).rejects.toThrow()
      await expect(idp.engine.people.add({ profile: { login, email } })).rejects.toThrow(
        'Api validation failed',
      )
    },
  )

  test('A55: an existing user cannot take a name of another user, over no way to change one', async () => {
    const { id } = (await create('mallory', mallory)).body
    const other = (await create('login@example.com', 'other@example.com')).body
    for (const [method, profile, field] of [
      ['POST', { login: victim.email }, 'login'],
      ['PUT', { login: victim.email, email: mallory }, 'login'],
      ['POST', { email: 'login@example.com' }, 'email'],
      ['PUT', { login: 'mallory', email: 'LOGIN@example.com' }, 'email'],
    ] as const) {
      const answered = await api(method, `/users/${id}`, { profile })
      expect([answered.status, causeOf(answered)], JSON.stringify(profile)).toEqual([400, taken(field)])
      await expect(idp.engine.people.change(id, { profile })).rejects.toThrow('Api validation failed')
    }
    await expect(idp.people.update(id, { email: 'login@example.com' })).rejects.toThrow()
    // What was refused left nothing behind.
    expect((await findPersonByIdentifier(idp.engine.storage.db, 'login@example.com'))?.id).toBe(other.id)
    expect((await findPersonByIdentifier(idp.engine.storage.db, mallory))?.id).toBe(id)
  })

  test('A55: the mail of a recovery goes to the user whose name it is', async () => {
    await create(victim.email, mallory)
    await atTheCode(idp, victim.email)
    await idp.engine.delivery.idle()
    expect(idp.outbox.all().map(({ to }) => to)).toEqual([victim.email])
  })

  test('A55: of parallel writes of one name, as login of one and email of another user, one succeeds', async () => {
    for (let round = 0; round < 10; round++) {
      const name = `name${round}@example.com`
      const mover = (await create(`mover${round}`, `mover${round}@example.com`)).body
      const answers = (
        await Promise.all([
          parallel(4, (index) => create(name, `first${round}.${index}@example.com`)),
          parallel(4, (index) => create(`second${round}.${index}`, name)),
          parallel(1, () => api('POST', `/users/${mover.id}`, { profile: { email: name } })),
        ])
      ).flat()
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.filter((status) => status === 400)).toHaveLength(8)
      const winner = answers.find(({ status }) => status === 200)?.body.id
      expect((await findPersonByIdentifier(idp.engine.storage.db, name))?.id).toBe(winner)
    }
  })

  test('A55: one name for login and email is one user’s, and what a user gives up is free', async () => {
    const first = await create('both@example.com', 'Both@example.com')
    expect(first.status).toBe(200)
    const { id } = first.body
    expect((await api('POST', `/users/${id}`, { profile: { login: 'renamed' } })).status).toBe(200)
    // It is the email still.
    expect((await create('both@example.com', mallory)).status).toBe(400)
    expect((await api('POST', `/users/${id}`, { profile: { email: 'new@example.com' } })).status).toBe(200)
    const second = await create('both@example.com', mallory)
    expect(second.status).toBe(200)
    expect(await idp.engine.people.remove(second.body.id)).toBe(true)
    expect((await create('third', 'both@example.com')).status).toBe(200)
  })

  test('A55: an import refuses the line of a user who has a name of another, with its number', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-names-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const secret = 'only for tests: everybody knows this secret'
    const rekey = (line: string, on: string) =>
      callCommand(line.split(' '), { folder, env: { DATABASE_URL: on, REKEY_SECRET: secret } })
    expect((await rekey('export file.jsonl', url)).code).toBe(0)
    const { id: own } = (await api('GET', '/users/vick')).body
    const person = (id: string, login: string, email: string) =>
      JSON.stringify({
        kind: 'person',
        id,
        status: 'ACTIVE',
        profile: { login, email },
        created_at: 1,
        updated_at: 1,
        status_changed_at: 1,
        password_changed_at: null,
        last_login_at: null,
      })
    const [head] = readFileSync(join(folder, 'file.jsonl'), 'utf8').split('\n')
    const lines = [
      head,
      person('00uimportfirst000001', 'fine', 'fine@example.com'),
      person('00uimportsecond00001', victim.email, mallory),
      person('00uimportthird000001', 'third', 'fine@example.com'),
      person('00uimportfourth00001', 'fourth', 'fourth@example.com'),
    ]
    writeFileSync(join(folder, 'names.jsonl'), lines.join('\n'))
    const imported = await rekey('import names.jsonl', url)
    expect(imported.code).toBe(1)
    expect(imported.stdout).toContain('added 2,')
    expect(imported.stderr).toContain(`names.jsonl:3: ${taken('login')}`)
    expect(imported.stderr).toMatch(/names\.jsonl:4: /)

    // In place of what is there: refused as well, and nothing of it is written.
    writeFileSync(join(folder, 'replace.jsonl'), [head, person(own, 'vick', 'fourth@example.com')].join('\n'))
    const replaced = await rekey('import replace.jsonl --replace', url)
    expect([replaced.code, replaced.stdout]).toEqual([1, expect.stringContaining('refused 1')])
    expect((await findPersonByIdentifier(idp.engine.storage.db, victim.email))?.id).toBe(own)

    const users = [
      { profile: { login: 'okta', email: 'okta@example.com' } },
      { profile: { login: 'okta@example.com', email: mallory } },
    ]
    writeFileSync(join(folder, 'users.json'), users.map((user) => JSON.stringify(user)).join('\n'))
    const okta = await rekey('import --okta users.json', url)
    expect([okta.code, okta.stderr]).toEqual([1, expect.stringContaining(`users.json:2: ${taken('login')}`)])

    const added = await rekey(`user add ${victim.email} --email ${mallory} --no-password`, url)
    expect([added.code, added.stderr]).toEqual([1, expect.stringContaining('login')])
  })
})

onEachDatabase('names that two users have from before', (database) => {
  test('A55: a database of an older release is migrated: a name leads to the user who was created first', async () => {
    const { url, drop } = await database.create()
    onTestFinished(drop)
    const before = await startEngine({ database: url })
    const { db } = before.engine.storage
    const add = async (login: string, email: string) => (await before.people.add({ login, email })).id
    const older = await add('older', 'older@example.com')
    const newer = await add('newer', mallory)
    const plain = await add('plain@example.com', 'plain@example.com')
    // As the release before has left it.
    await db.updateTable('people').set({ created_at: 1 }).where('id', '=', older).execute()
    await db
      .updateTable('people')
      .set({
        login: 'older@example.com',
        login_key: 'older@example.com',
        profile: JSON.stringify({ login: 'older@example.com', email: mallory }),
      })
      .where('id', '=', newer)
      .execute()
    await db.schema.dropTable('names').execute()
    await db.schema.dropIndex('memberships_by_person_id_group_id').execute()
    await db.schema.createIndex('memberships_by_person_id').on('memberships').column('person_id').execute()
    await sql`create table credentials as select person_id, authenticator, data, created_at, updated_at from enrollments`.execute(
      db,
    )
    await db.schema.dropTable('enrollments').execute()
    await sql`delete from kysely_migration where name in ('0006-names', '0007-enrollments')`.execute(db)
    await before.close()

    const idp = await startEngine({ database: url })
    const now = idp.engine.storage.db
    const leadsTo = async (name: string) => (await findPersonByIdentifier(now, name))?.id
    expect(await leadsTo('older')).toBe(older)
    expect(await leadsTo('older@example.com')).toBe(older)
    expect(await leadsTo(mallory)).toBe(newer)
    expect(await leadsTo('plain@example.com')).toBe(plain)
    expect(await sharedNames(now, 10)).toEqual([
      { name: 'older@example.com', personId: newer, holderId: older },
    ])

    // It stands in no way of other changes, and is the later user's once the earlier one has another.
    const api = apiOf(idp)
    expect((await api('POST', `/users/${newer}`, { profile: { firstName: 'New' } })).status).toBe(200)
    const whole = { login: 'older@example.com', email: mallory }
    expect((await api('PUT', `/users/${newer}`, { profile: whole })).status).toBe(200)
    expect(await leadsTo('older@example.com')).toBe(older)
    expect((await api('POST', `/users/${older}`, { profile: { email: 'free@example.com' } })).status).toBe(
      200,
    )
    expect((await api('PUT', `/users/${newer}`, { profile: whole })).status).toBe(200)
    expect(await leadsTo('older@example.com')).toBe(newer)
    expect(await sharedNames(now, 10)).toEqual([])
    await idp.close()
  })
})

test('A55: a configuration in which two users have one name is refused', () => {
  const people = [victim, { login: 'Vick@example.com', email: mallory }]
  const secrets = ['only for tests: everybody knows this secret']
  expect(() => checkConfig({ mode: 'test', secrets, people })).toThrow(
    'people.1.login: is a name of people.0 already',
  )
})
