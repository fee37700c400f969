import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { sdk } from '../support/sdk.ts'

const login = 'ada@example.com'
const password = 'Tangerine-Kettle-42'
// SHA-256 of salt and password, and bcrypt of `U*U`, computed by other programs.
const sha256 = {
  algorithm: 'SHA-256',
  salt: 'c29tZXNhbHQxMjM0NTY3OA==',
  saltOrder: 'PREFIX',
  value: 'ODjMbDhvdI0VPYYJNSM3SXPzEbK/pJCR0BZhLgbfiFg=',
}
const bcrypt = {
  algorithm: 'BCRYPT',
  workFactor: 5,
  salt: 'CCCCCCCCCCCCCCCCCCCCC.',
  value: 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
}

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const create = (hash: object) =>
  apiOf(idp)('POST', '/users', { profile: { login, email: login }, credentials: { password: { hash } } })

async function stored(
  personId: string,
): Promise<{ readonly hash: string; readonly history: readonly string[] }> {
  const { data } = await idp.engine.storage.db
    .selectFrom('credentials')
    .select('data')
    .where('person_id', '=', personId)
    .executeTakeFirstOrThrow()
  return JSON.parse(data)
}

const signIn = async (text: string) =>
  (await sdk(idp).idx.authenticate({ username: login, password: text })).status

test('a user signs in with a password that another system has hashed, and the hash is upgraded', async () => {
  const { status, body } = await create(sha256)
  expect([status, body.status]).toEqual([200, 'ACTIVE'])
  expect(JSON.stringify(body)).not.toContain(sha256.value)
  expect((await stored(body.id)).hash).toMatch(/^\$digest-sha256\$/)

  expect(await signIn('another password')).not.toBe('SUCCESS')
  expect((await stored(body.id)).hash).toMatch(/^\$digest-sha256\$/)
  expect(await signIn(password)).toBe('SUCCESS')
  expect((await stored(body.id)).hash).toMatch(/^\$argon2id\$/)
  expect(await signIn(password)).toBe('SUCCESS')
})

test('concurrent sign-ins upgrade the hash once and leave a valid one', async () => {
  const { body } = await create(bcrypt)
  expect(await Promise.all([signIn('U*U'), signIn('U*U')])).toEqual(['SUCCESS', 'SUCCESS'])
  expect((await stored(body.id)).hash).toMatch(/^\$argon2id\$/)
  expect(await signIn('U*U')).toBe('SUCCESS')
})

test('a recovery replaces it, and the imported password counts in the history', async () => {
  await create(sha256)
  const auth = sdk(idp)
  await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  await auth.idx.proceed({ verificationCode: (await idp.outbox.waitFor({ to: login })).code ?? '' })
  expect((await auth.idx.proceed({ password })).status).toBe('PENDING')
  expect((await auth.idx.proceed({ password: 'Lighthouse-Biscuit-77' })).status).toBe('SUCCESS')
  expect(await signIn(password)).not.toBe('SUCCESS')
})

test('hashes that cannot be verified or cost too much are refused with a cause for each member', async () => {
  const { status, body } = await create({ ...bcrypt, workFactor: 31, salt: '' })
  expect([status, body.errorCode]).toEqual([400, 'E0000001'])
  expect(body.errorCauses).toEqual([{ errorSummary: expect.stringMatching(/^password\.hash\.salt: /) }])
  for (const hash of [
    {},
    { algorithm: 'CRYPT' },
    { ...sha256, value: 'A'.repeat(60_000) },
    { ...bcrypt, workFactor: 20 },
  ]) {
    const refused = await create(hash)
    expect([refused.status, refused.body.errorCode]).toEqual([400, 'E0000001'])
  }
  expect((await apiOf(idp)('GET', `/users/${login}`)).status).toBe(404)
})
