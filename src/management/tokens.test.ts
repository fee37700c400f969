import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSecrets, systemRandom } from '../base/index.ts'
import { openStorage, type Storage } from '../storage/index.ts'
import { type ApiRole, apiRoles, authorize, createApiToken } from './tokens.ts'

const secrets = createSecrets(['a master secret of tests'])
let storage: Storage
const headers = new Map<ApiRole, string>()

beforeAll(async () => {
  storage = await openStorage({ url: 'memory' })
  await storage.migrate()
  for (const role of apiRoles) {
    const wanted = { name: role, role, createdBy: 'cli' }
    const { token } = await createApiToken(storage, wanted, { secrets, random: systemRandom, now: 1 })
    headers.set(role, `SSWS ${token}`)
  }
})
afterAll(() => storage.close())

const enough: readonly (readonly [has: ApiRole, needed: ApiRole, enough: boolean])[] = [
  ['read', 'read', true],
  ['read', 'users', false],
  ['read', 'all', false],
  ['users', 'read', true],
  ['users', 'users', true],
  ['users', 'all', false],
  ['all', 'read', true],
  ['all', 'users', true],
  ['all', 'all', true],
]

test.each(enough)('a token with the role %s suffices for %s: %s', async (has, needed, isEnough) => {
  const asked = authorize({ storage, secrets, now: 2 }, headers.get(has), needed)
  if (isEnough) expect((await asked).role).toBe(has)
  else await expect(asked).rejects.toMatchObject({ status: 403, code: 'E0000006' })
})

test('a caller without a token does not learn which role is needed', async () => {
  for (const needed of apiRoles) {
    await expect(authorize({ storage, secrets, now: 2 }, undefined, needed)).rejects.toMatchObject({
      status: 401,
      code: 'E0000011',
    })
  }
})
