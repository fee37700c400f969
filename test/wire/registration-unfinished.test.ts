import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { mailTo } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { fillsIn, openSignUp } from '../support/sign-up.ts'
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
