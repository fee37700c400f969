import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { record } from '../../src/audit/index.ts'
import { systemRandom } from '../../src/base/index.ts'
import { eraseUser } from '../../src/people/index.ts'
import type { Schema } from '../../src/storage/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { atTheCode, mailTo, manyMails, newPassword, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const ada = { login: 'ada.lovelace', email: 'Ada@example.com', password: 'Marmalade-Harbour-31' }
const bob = { login: 'bob@example.com', password: 'Tangerine-Kettle-42' }
const home = '198.51.100.77'
const tables = [
  'people',
  'names',
  'enrollments',
  'person_tokens',
  'memberships',
  'sessions',
  'artifacts',
] as const
const all = [...tables, 'interactions', 'transactions', 'outbox', 'budgets', 'events'] as const

onEachDatabase('a user who is erased', (database) => {
  let place: TestDatabase
  let idp: Kit
  beforeAll(async () => {
    place = await database.create()
    idp = await startTarget({ database: place.url, settings: { limits: manyMails } })
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const headers = { 'x-forwarded-for': home, 'user-agent': 'the browser of Ada' }
  const parts = () => {
    const { storage, clock, people } = idp.engine
    return {
      storage,
      clock,
      people,
      random: systemRandom,
    }
  }
  const stored = async (): Promise<Readonly<Record<string, string>>> => {
    const texts: Record<string, string> = {}
    for (const table of all) {
      const rows = await idp.engine.storage.db
        .selectFrom(table as keyof Schema & 'people')
        .selectAll()
        .execute()
      texts[table] = JSON.stringify(rows).toLowerCase()
    }
    return texts
  }
  const found = async (texts: readonly string[]) =>
    Object.entries(await stored()).flatMap(([table, text]) =>
      texts
        .filter((one) => text.includes(one.toLowerCase()))
        // Wrong answers by address name no user, and end within the hour.
        .filter((one) => table !== 'budgets' || one !== home)
        .map((one) => `${table}: ${one}`),
    )

  /** All that a user leaves: a session with refresh tokens, wrong answers, a recovery, a mail that waits, an administrator's deed. */
  async function lives(): Promise<string> {
    const { id } = await idp.people.add(ada)
    const owner = await visit(idp, { headers })
    const { interactionCode } = await owner.submits('identify', {
      identifier: ada.login,
      credentials: { passcode: ada.password },
    })
    await owner.redeems(interactionCode ?? '')
    // An app that expects the user, and a browser from which no answer came.
    await visit(idp, { parameters: { login_hint: ada.email } })
    const wrong = await visit(idp, { headers })
    for (const identifier of [ada.login.toUpperCase(), ada.email]) {
      await wrong.submits('identify', { identifier, credentials: { passcode: 'wrong' } })
    }
    const recovery = await atTheCode(idp, ada.email, { headers })
    await recovery.answers((await mailTo(idp, ada.email)).code)
    await recovery.answers(newPassword)
    await apiOf(idp)('POST', `/users/${id}/lifecycle/suspend`)
    await idp.people.add(bob)
    await (await visit(idp, { headers: { 'x-forwarded-for': '203.0.113.5' } })).signsIn(
      bob.login,
      bob.password,
    )
    await atTheCode(idp, bob.login, { headers: { 'x-forwarded-for': '203.0.113.5' } })
    await idp.engine.delivery.idle()
    return id
  }

  test('is in no table any more, other users are as before, and the log says what happened', async () => {
    const id = await lives()
    const traces = [id, ada.login, ada.email, home, 'the browser of Ada']
    expect((await found(traces)).length).toBeGreaterThan(12)
    const before = await idp.events()
    const bobs = before.filter(({ actor }) => actor.alternateId === bob.login)

    const erased = await eraseUser(parts(), ada.email)
    expect(erased).toMatchObject({ id, events: expect.any(Number) })
    expect(await found(traces)).toEqual([])

    const after = await idp.events()
    const own = after.filter(({ actor }) => actor.id === erased?.pseudonym)
    expect(new Set(own.map(({ eventType }) => eventType))).toContain('user.session.start')
    expect(after.filter(({ actor }) => actor.alternateId === bob.login)).toEqual(bobs)
    // Administrators are no part of it.
    const suspended = after.find(({ eventType }) => eventType === 'user.lifecycle.suspend')
    expect(suspended?.target?.[0]).toEqual({ id: erased?.pseudonym, type: 'User' })
    expect(after[0]).toMatchObject({
      eventType: 'user.lifecycle.erase.completed',
      target: [{ id: erased?.pseudonym, type: 'User' }],
    })
    expect((await (await visit(idp)).signsIn(bob.login, bob.password)).interactionCode).toBeDefined()

    // Once more: by the id there is nothing left to do, by a name there is no user.
    expect(await eraseUser(parts(), id)).toMatchObject({ id, events: 0 })
    expect(await eraseUser(parts(), ada.login)).toBeUndefined()
  })

  test('is no part of the longer names of others, and is replaced in each form and place', async () => {
    const { storage } = idp.engine
    const lovelace = { login: 'lovelace@example.com', password: 'Bicycle-Lantern-27' }
    const { id } = await idp.people.add(lovelace)
    const others = [
      'adalovelace@example.com',
      'ada.lovelace@example.com',
      'ada+lovelace@example.com',
      "o'lovelace@example.com",
      'ålovelace@example.com',
      'lovelace@example.com.au',
      'lovelace@example.community',
      'lovelace@example.com-x.example',
    ]
    const response = others.join(' ')
    const event = (debugData: Readonly<Record<string, string>>) =>
      record(
        storage.db,
        {
          eventType: 'system.email.delivery',
          displayMessage: 'Send email',
          outcome: { result: 'FAILURE' },
          actor: { id: 'system', type: 'SystemPrincipal' },
          debugData,
        },
        { random: systemRandom, now: idp.clock.now() },
      )
    await event({ response: `${response} ${id}x` })
    const forms = ['<Lovelace@Example.com>', "'lovelace@example.com'", 'rcpt=lovelace@example.com', id]
    await event({ response: `550 ${forms.join(', ')} ${response}: no lovelace@example.com.` })

    const { pseudonym = '' } = (await eraseUser(parts(), lovelace.login)) ?? {}
    const answers = (await idp.events()).map(({ debugContext }) => debugContext.debugData.response)
    expect(answers).toContain(`${response} ${id}x`)
    const erased = [`<${pseudonym}>`, `'${pseudonym}'`, `rcpt=${pseudonym}`, pseudonym]
    expect(answers).toContain(`550 ${erased.join(', ')} ${response}: no ${pseudonym}.`)
  })

  test('is found by a name that is not ASCII, in each spelling, and where it was typed before the user was', async () => {
    const zoe = { login: 'ZOË@BÜCHER.example', email: 'ZOË@BÜCHER.example', password: 'Bicycle-Lantern-27' }
    for (const identifier of ['zoë@bücher.example', 'ＺＯË@BÜCHER.example', 'Zoë@xn--bcher-kva.example']) {
      await atTheCode(idp, identifier, { headers })
    }
    const { id } = await idp.people.add(zoe)
    await (await visit(idp, { headers })).signsIn(zoe.login, zoe.password)
    const traces = [id, home, 'the browser of Ada', 'zoë', 'ｚｏë', 'bücher', 'xn--bcher-kva']
    expect((await found(traces)).map((one) => one.split(':')[0])).toContain('transactions')
    expect(await eraseUser(parts(), id)).toMatchObject({ id })
    expect(await found(traces)).toEqual([])
  })

  test('may have been removed before, and is found by the login or the id', async () => {
    const cleo = { login: 'cleo@example.com', password: 'Lighthouse-Biscuit-13' }
    for (const nameOf of [() => cleo.login.toUpperCase(), (id: string) => id]) {
      const { id } = await idp.people.add(cleo)
      await (await visit(idp, { headers })).signsIn(cleo.login, cleo.password)
      await idp.people.remove(id)
      expect((await found([id])).length).toBeGreaterThan(0)
      expect(await eraseUser(parts(), nameOf(id))).toMatchObject({ id })
      expect(await found([id, cleo.login, home])).toEqual([])
    }
    expect(await eraseUser(parts(), 'no-one@example.com')).toBeUndefined()
  })
})

test('what is erased is not in the file of the database any more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-erase-'))
  const path = join(folder, 'rekey.db')
  const idp = await startTarget({ database: `sqlite:${path}`, settings: { limits: manyMails } })
  const { engine, people } = idp
  const canary = 'canarylovelace'
  const inFiles = () =>
    readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(canary))
  const user = { ...ada, login: `${canary}@example.com`, email: `${canary}.mail@example.com` }
  const { id } = await people.add({ ...user, firstName: canary, lastName: canary.repeat(3) })
  const agent = { headers: { 'user-agent': `the browser of ${canary}` } }
  for (let time = 0; time < 5; time++) {
    await (await visit(idp, agent)).signsIn(user.login, user.password)
    await atTheCode(idp, user.email, agent)
    await people.update(id, { lastName: `${canary} ${time}` })
  }
  await idp.engine.delivery.idle()
  expect(inFiles().length).toBeGreaterThan(0)
  await eraseUser(
    { storage: engine.storage, clock: engine.clock, people: engine.people, random: systemRandom },
    id,
  )
  expect(inFiles()).toEqual([])
  await idp.close()
  expect(inFiles()).toEqual([])
  rmSync(folder, { recursive: true })
})
