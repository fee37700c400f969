import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { removeUnfinished } from '../../src/people/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { mailTo } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { changeSignUp, fillsIn, openSignUp, passwordInForm, unverified } from '../support/sign-up.ts'
import { enrollmentPolicy } from './totp.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const profileOf = (email: string) => ({ email, firstName: 'Nina', lastName: 'Nowak' })
const [left, late, done] = ['left@example.com', 'late@example.com', 'done@example.com'] as const

onEachDatabase('an account whose sign-up never ended', (database) => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ ...openSignUp(), database: (await database.create()).url, clock: 'frozen' })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  async function proves(email: string): Promise<Visitor> {
    const visitor = await fillsIn(newVisitor(idp), profileOf(email))
    await visitor.answers((await mailTo(idp, email)).code)
    return visitor
  }
  async function ends(visitor: Visitor) {
    await visitor.enrolls('okta_password')
    return visitor.answers('Marmalade-Harbour-31')
  }
  const statusOf = async (name: string) => (await apiOf(idp)('GET', `/users/${name}`)).body.status

  test('is removed after a week with all that belongs to it, and no other user is', async () => {
    const first = await proves(left)
    await ends(await proves(done))
    const { id: waiting } = await idp.people.add({ login: 'waiting@example.com', status: 'PROVISIONED' })
    idp.clock.advance('6d')
    await proves(late)
    await idp.engine.maintain()
    expect([await statusOf(left), await statusOf(late)]).toEqual(['PROVISIONED', 'PROVISIONED'])

    idp.clock.advance('25h')
    await idp.engine.maintain()
    expect([
      await statusOf(left),
      await statusOf(late),
      await statusOf(done),
      await statusOf(waiting),
    ]).toEqual([undefined, 'PROVISIONED', 'ACTIVE', 'PROVISIONED'])
    const { db } = idp.engine.storage
    expect(await db.selectFrom('names').select('key').where('key', '=', left).execute()).toEqual([])
    const [event] = (await idp.events()).filter(
      ({ eventType }) => eventType === 'user.lifecycle.delete.completed',
    )
    expect(event?.target).toMatchObject([{ alternateId: left }])
    // The page that was left open is over, and the address is free.
    expect((await first.enrolls('okta_password')).status).toBe(401)
    expect((await ends(await proves(left))).interactionCode).toBeDefined()
  })

  test('is no account that has ended its sign-up without a proven mailbox: it stays, in use or not', async () => {
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    const statuses = ['ACTIVE', 'SUSPENDED', 'ACTIVE'] as const
    const [used, suspended, unused] = ['used@example.com', 'suspended@example.com', 'unused@example.com']
    for (const email of [used, suspended, unused]) {
      const visitor = await fillsIn(newVisitor(idp), profileOf(email), {
        credentials: { passcode: 'Marmalade-Harbour-31' },
      })
      expect(visitor.response.interactionCode).toBeDefined()
    }
    await apiOf(idp)('POST', `/users/${suspended}/lifecycle/suspend`)
    for (const days of ['6d', '6d', '30d'] as const) {
      idp.clock.advance(days)
      await idp.engine.maintain()
      await newVisitor(idp).signsIn(used, 'Marmalade-Harbour-31')
      expect([await statusOf(used), await statusOf(suspended), await statusOf(unused)]).toEqual(statuses)
    }
  })

  test('is an administrator’s once one has changed it: it stays where its mailbox is proven, else for another week', async () => {
    const api = apiOf(idp)
    const changes = {
      profile: (id: string) => api('POST', `/users/${id}`, { profile: { firstName: 'Anna' } }),
      email: (id: string) =>
        api('POST', `/users/${id}`, { profile: { email: 'other@example.com', login: 'other@example.com' } }),
      password: (id: string) =>
        api('POST', `/users/${id}`, { credentials: { password: { value: 'Tangerine-Kettle-42' } } }),
    }
    const idOf = async (name: string): Promise<string> => (await api('GET', `/users/${name}`)).body.id ?? ''
    const proven: string[] = []
    for (const change of Object.values(changes)) {
      const email = `${proven.length}@example.com`
      await proves(email)
      const id = await idOf(email)
      expect((await change(id)).status).toBe(200)
      proven.push(id)
    }
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    await changeSignUp(idp, { ...unverified, ...passwordInForm })
    await fillsIn(newVisitor(idp), profileOf(left), { credentials: { passcode: 'Marmalade-Harbour-31' } })
    const unproven = await idOf(left)
    const all = async () => Promise.all([...proven, unproven].map(statusOf))
    const waiting = 'PROVISIONED'
    expect(await all()).toEqual([waiting, waiting, waiting, waiting])
    idp.clock.advance('6d')
    await changes.profile(unproven)
    idp.clock.advance('6d')
    await idp.engine.maintain()
    expect(await all()).toEqual([waiting, waiting, waiting, waiting])
    idp.clock.advance('25h')
    await idp.engine.maintain()
    expect(await all()).toEqual([waiting, waiting, waiting, undefined])
  })

  test('stays where an administrator changes it at the moment at which it would be removed', async () => {
    await proves(left)
    idp.clock.advance('8d')
    const { people, storage } = idp.engine
    const changed = { isRead: false }
    // What is found is removed only after the change, as by a node that has read a moment before.
    await removeUnfinished(
      {
        storage,
        people: {
          async remove(id, deed) {
            changed.isRead = true
            await apiOf(idp)('POST', `/users/${id}`, { profile: { firstName: 'Anna' } })
            return people.remove(id, deed)
          },
        },
      },
      idp.clock.now(),
    )
    expect([changed.isRead, await statusOf(left)]).toEqual([true, 'PROVISIONED'])
  })

  test('stays where it is completed at the moment at which it would be removed', async () => {
    const visitor = await proves(left)
    // As read by a node that is about to remove it, whose hand the last answer is faster than.
    const { db } = idp.engine.storage
    const { id, version } = await db
      .selectFrom('people')
      .select(['id', 'version'])
      .where('login', '=', left)
      .executeTakeFirstOrThrow()
    expect((await ends(visitor)).interactionCode).toBeDefined()
    await expect(idp.engine.people.remove(id, { version: Number(version) })).rejects.toThrow()
    idp.clock.advance('30d')
    await idp.engine.maintain()
    expect(await statusOf(left)).toBe('ACTIVE')
  })
})
