import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import {
  createPerson,
  findEnrollment,
  findPerson,
  ifUnchanged,
  type Person,
  type PersonChanges,
  putEnrollment,
  rehashEnrollment,
  updatePerson,
} from '../../src/directory/index.ts'
import { retryStale, StaleRead, type Storage } from '../../src/storage/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { onEachDatabase } from '../support/postgres.ts'

onEachDatabase('the version of a user', (database) => {
  let storage: Storage
  let close: () => Promise<void>
  beforeAll(async () => {
    const { url, drop } = await database.create()
    const idp = await startEngine({ database: url })
    storage = idp.engine.storage
    close = async () => {
      await idp.close()
      await drop()
    }
  })
  afterAll(() => close())

  let made = 0
  const create = (): Promise<Person> => {
    const login = `version${++made}@example.com`
    return createPerson(storage.db, { profile: { login, email: login } }, { random: systemRandom, now: 1 })
  }
  const versionOf = async (id: string) => (await findPerson(storage.db, id))?.version

  test.each<readonly [changes: PersonChanges, raised: number]>([
    [{}, 0],
    [{ lastLoginAt: 7 }, 0],
    [{ profile: { firstName: 'Ada' } }, 0],
    [{ profile: { email: 'other@example.com' } }, 1],
    [{ profile: { login: 'other' } }, 1],
    [{ status: 'SUSPENDED' }, 1],
    [{ passwordChangedAt: 7 }, 1],
    [{ secretChanged: true }, 1],
    [{ status: 'ACTIVE', passwordChangedAt: 7, profile: { login: 'third', email: 'third@example.com' } }, 1],
  ])('%j raises it by %i', async (changes, raised) => {
    const { id } = await create()
    const changed = await updatePerson(storage.db, id, changes, 2)
    expect(changed?.version).toBe(1 + raised)
    expect(await versionOf(id)).toBe(1 + raised)
  })

  test('a change of somebody who is not there is none', async () => {
    expect(await updatePerson(storage.db, '00unobody', { profile: { firstName: 'Ada' } }, 2)).toBeUndefined()
  })

  test('what was judged by another version is not written, and may be judged anew', async () => {
    const { id, version } = await create()
    await updatePerson(storage.db, id, { status: 'ACTIVE' }, 2)
    const write = (judged: number | undefined) =>
      ifUnchanged(storage, { id, version: judged }, (tx) => updatePerson(tx, id, { lastLoginAt: 3 }, 3))
    await expect(write(version)).rejects.toThrow(StaleRead)
    expect(await findPerson(storage.db, id)).toMatchObject({ lastLoginAt: null, version: 2 })

    let reads = 0
    const written = retryStale(async (attempt) => {
      reads++
      return write(attempt === 1 ? version : await versionOf(id))
    })
    expect(await written).toMatchObject({ lastLoginAt: 3, version: 2 })
    expect(reads).toBe(2)
  })

  test('of a user who is not there, or was removed meanwhile, it is undefined', async () => {
    expect(await ifUnchanged(storage, { id: '00unobody', version: undefined }, async () => 'done')).toBe(
      'done',
    )
    const { id } = await create()
    const judged = { id: '00unobody', version: 1 }
    await expect(ifUnchanged(storage, judged, async () => 'done')).rejects.toThrow(StaleRead)
    const created = { id, version: undefined }
    await expect(ifUnchanged(storage, created, async () => 'done')).rejects.toThrow(StaleRead)
  })

  test('who changes more often than is judged anew is answered to come again', async () => {
    const { id } = await create()
    let attempts = 0
    const outcome = retryStale(() => {
      attempts++
      return ifUnchanged(storage, { id, version: 99 }, async () => 'done')
    })
    await expect(outcome).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } })
    expect(attempts).toBe(3)
  })

  test('a re-hash takes the place of exactly what was read, and raises nothing', async () => {
    const { id } = await create()
    const stored = { personId: id, authenticator: 'okta_password', prefix: 'lae', method: 'password' }
    await putEnrollment(storage.db, { ...stored, data: { hash: 'one' } }, { random: systemRandom, now: 1 })
    const enrollment = await findEnrollment(storage.db, id, 'okta_password')
    const rehash = (from: string) =>
      rehashEnrollment(storage.db, { id: enrollment?.id ?? '', from, data: { hash: 'two' } }, 2)
    expect(await rehash('{"hash":"another"}')).toBe(false)
    expect(await rehash('{"hash":"one"}')).toBe(true)
    expect(await rehash('{"hash":"one"}')).toBe(false)
    expect(await versionOf(id)).toBe(1)
    expect(await findEnrollment(storage.db, id, 'okta_password')).toMatchObject({ version: 1 })
  })

  test('nothing is inserted by one where the secret has gone', async () => {
    const gone = { id: 'lae1', from: '{"hash":"one"}', data: { hash: 'two' } }
    expect(await rehashEnrollment(storage.db, gone, 2)).toBe(false)
  })
})
