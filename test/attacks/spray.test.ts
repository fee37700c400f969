import { afterEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { atTheCode, mailTo, manyMails, parallel, visit } from '../support/attacks.ts'
import { manyRequests } from '../support/nodes.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const password = 'Marmalade-Harbour-31'
const requests = { requests: manyRequests.requests, ...manyMails }
const users = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ login: `user${index}@example.com`, password }))

let idp: Kit
let place: TestDatabase | undefined
afterEach(async () => {
  await idp.close()
  await place?.drop()
  place = undefined
})

const signIn = async (address: string, identifier: string, passcode = password) => {
  const visitor = await visit(idp, { headers: { 'x-forwarded-for': address } })
  return visitor.submits('identify', { identifier, credentials: { passcode } })
}
const isIn = async (address: string, login: string) =>
  (await signIn(address, login)).interactionCode !== undefined
const wrong = async (address: string, name: string) =>
  (await signIn(address, `${name}@example.com`, 'Summer2026!!')).status
const office = '192.0.2.1'

/** Whether the installation is under attack, as a user sees it: a long code. */
async function mailsLongCodes(): Promise<boolean> {
  await atTheCode(idp, 'user3@example.com', { headers: { 'x-forwarded-for': '203.0.113.200' } })
  return /^[A-Z2-9]{10}$/.test((await mailTo(idp, 'user3@example.com')).code ?? '')
}

describe('an installation under attack', () => {
  const start = async (limits: object, people = users(12)) => {
    idp = await startEngine({ clock: 'frozen', people, settings: { limits: { ...requests, ...limits } } })
  }
  const attack = async (answers: number) => {
    for (let n = 0; n < answers; n++) await wrong(`198.51.100.${n}`, `guess${n}`)
  }

  test('A11: keeps no office out that has twelve typing errors, whether or not a user has signed in there before', async () => {
    await start({ sprayEverywhere: 40 })
    await attack(45)
    expect(await mailsLongCodes()).toBe(true)
    for (let error = 0; error < 12; error++) expect(await wrong(office, `user${error}`)).toBe(401)
    for (let user = 0; user < 10; user++) expect(await isIn(office, `user${user}@example.com`)).toBe(true)
  })

  test('A11: lets a network guess the more the more of its users have signed in, and no other one', async () => {
    await start({ sprayEverywhere: 40, sprayPerAddressUnderAttack: 5 })
    // The same user counts once.
    for (const user of [0, 1, 0, 0, 1]) expect(await isIn(office, `user${user}@example.com`)).toBe(true)
    await attack(45)
    const statuses = async (address: string, count: number) => {
      const seen = []
      for (let n = 0; n < count; n++) seen.push(await wrong(address, `user${n}`))
      return seen
    }
    expect(await statuses('203.0.113.1', 7)).toEqual([...Array(5).fill(401), 429, 429])
    expect(await isIn('203.0.113.1', 'user0@example.com')).toBe(false)
    // Five, and ten for each of the two.
    expect(await statuses(office, 24)).toEqual(Array(24).fill(401))
    expect(await isIn(office, 'user2@example.com')).toBe(true)
    expect(await statuses(office, 12)).toEqual([...Array(11).fill(401), 429])
    idp.clock.advance('1h')
    expect(await statuses('203.0.113.1', 7)).toEqual(Array(7).fill(401))
  })

  test('A11: is one only where wrong answers are many beside the users who sign in', async () => {
    await start({ sprayEverywhere: 10, sprayPerHundredSignIns: 50 }, users(40))
    // One account, signing in again and again, is one user.
    for (let time = 0; time < 40; time++) await isIn(office, 'user0@example.com')
    await attack(10)
    expect(await mailsLongCodes()).toBe(true)
    idp.clock.advance('2h')

    for (let user = 0; user < 40; user++) await isIn(`192.0.2.${user}`, `user${user}@example.com`)
    await attack(15)
    expect(await mailsLongCodes()).toBe(false)
    const begun = async () =>
      (await idp.events()).filter(({ eventType }) => eventType === 'security.attack.start').length
    const before = await begun()
    await attack(6)
    expect(await mailsLongCodes()).toBe(true)
    expect(await begun()).toBe(before + 1)
  })
})

onEachDatabase('answers at once', (database) => {
  const start = async (limits: object) => {
    place = await database.create()
    idp = await startEngine({
      clock: 'frozen',
      database: place.url,
      people: users(4),
      settings: { limits: { ...requests, ...limits }, password: { waitMs: 60_000 } },
    })
  }

  test('A11: of a burst from one address no more wrong ones are taken than its budget, on whatever path', async () => {
    await start({ sprayPerAddressMinute: 20 })
    const statuses = await parallel(50, (n) => wrong(office, `guess${n}`))
    expect(statuses.filter((status) => status === 401)).toHaveLength(20)
    expect(await isIn(office, 'user0@example.com')).toBe(false)
  })

  test('A11: a right answer waits for no other one of its address, and writes no budget of it', async () => {
    await start({})
    for (let n = 0; n < 3; n++) await wrong(office, `guess${n}`)
    const { storage } = idp.engine
    const counted = () =>
      storage.db.selectFrom('budgets').selectAll().where('key', 'like', 'spray-%').orderBy('key').execute()
    const before = await counted()
    // One row, or a row each: as many as wrong answers.
    expect(before.filter(({ key }) => key.startsWith('spray-everywhere'))).toHaveLength(3)
    const release = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    // SQLite has one writer, which nothing holds up.
    const holding =
      storage.kind === 'sqlite'
        ? locked.resolve()
        : storage.transaction(async (tx) => {
            await tx.selectFrom('budgets').select('key').where('key', 'like', 'spray-%').forUpdate().execute()
            locked.resolve()
            await release.promise
          })
    await locked.promise
    expect(await isIn(office, 'user0@example.com')).toBe(true)
    // Nor does a wrong one of another address wait for the row of all.
    expect(await wrong('198.51.100.1', 'guess')).toBe(401)
    release.resolve()
    await holding
    expect((await counted()).filter(({ key }) => key.endsWith(office))).toEqual(
      before.filter(({ key }) => key.endsWith(office)),
    )
  })
})
