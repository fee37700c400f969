import { afterEach, beforeEach, expect, test } from 'vitest'
import { listEvents } from '../../src/audit/index.ts'
import { createSecrets, systemRandom, VirtualClock } from '../../src/base/index.ts'
import {
  type ApiRole,
  createApiToken,
  ensureApiToken,
  isApiToken,
  listApiTokens,
  revokeApiToken,
  verifyApiToken,
} from '../../src/management/index.ts'
import type { Storage } from '../../src/storage/index.ts'
import { onEachDatabase } from '../support/postgres.ts'

const old = createSecrets(['the master secret of yesterday'])
const secrets = createSecrets(['a master secret of tests', 'the master secret of yesterday'])
const known = '00aTokenThatIsKnownBeforehandForTestsOnly1'

onEachDatabase('API tokens', (database) => {
  const clock = new VirtualClock({ frozen: true })
  let storage: Storage
  beforeEach(async () => {
    storage = await database.open()
  })
  afterEach(() => storage.close())

  const context = (with_ = secrets) => ({ secrets: with_, random: systemRandom, now: clock.now() })
  const create = (name: string, role: ApiRole = 'read', with_ = secrets) =>
    createApiToken(storage, { name, role, createdBy: 'cli' }, context(with_))

  test('a token is shown once and stored as a keyed hash', async () => {
    const { token, apiToken } = await create('log shipper')

    expect(token).toMatch(/^00[A-Za-z0-9]{43}$/)
    expect(apiToken).toEqual({
      id: expect.stringMatching(/^00T[A-Za-z0-9]{17}$/),
      name: 'log shipper',
      role: 'read',
      createdBy: 'cli',
      createdAt: clock.now(),
      lastUsedAt: null,
    })
    expect(await verifyApiToken(storage.db, secrets, token)).toEqual(apiToken)
    const rows = JSON.stringify(await storage.db.selectFrom('api_tokens').selectAll().execute())
    expect(rows).not.toContain(token)
  })

  test('nothing else is a token', async () => {
    const { token, apiToken } = await create('log shipper')

    for (const text of ['', apiToken.id, token.slice(1), `${token}a`, token.toLowerCase()]) {
      expect(await isApiToken(storage.db, secrets, text)).toBe(false)
    }
    expect(await isApiToken(storage.db, createSecrets(['another master secret']), token)).toBe(false)
  })

  test('a token outlives a rotation of the master secret', async () => {
    const { token } = await create('log shipper', 'read', old)
    expect(await isApiToken(storage.db, secrets, token)).toBe(true)
  })

  test('a revoked token is worth nothing, and others stay', async () => {
    const first = await create('first')
    const second = await create('second', 'users')
    const by = { revokedBy: 'cli', random: systemRandom, now: clock.now() }

    expect(await revokeApiToken(storage, first.apiToken.id, by)).toBe(true)
    expect(await revokeApiToken(storage, first.apiToken.id, by)).toBe(false)

    expect(await isApiToken(storage.db, secrets, first.token)).toBe(false)
    expect(await listApiTokens(storage.db)).toEqual([second.apiToken])
  })

  test('making and revoking are events, without the token', async () => {
    const { token, apiToken } = await create('log shipper', 'all')
    clock.advance(1)
    await revokeApiToken(storage, apiToken.id, { revokedBy: 'cli', random: systemRandom, now: clock.now() })

    const events = await listEvents(storage.db, { limit: 10 })
    expect(events.map(({ eventType, actor, target }) => [eventType, actor.id, target?.[0]?.id])).toEqual([
      ['system.api_token.revoke', 'cli', apiToken.id],
      ['system.api_token.create', 'cli', apiToken.id],
    ])
    expect(JSON.stringify(events)).not.toContain(token)
  })

  test('a configured token works once it was ensured, however many nodes start at once', async () => {
    await Promise.all([1, 2, 3].map(() => ensureApiToken(storage.db, known, context())))
    await ensureApiToken(storage.db, known, context())

    expect(await verifyApiToken(storage.db, secrets, known)).toMatchObject({ role: 'all' })
    expect(await listApiTokens(storage.db)).toHaveLength(1)
  })

  test('another configured token takes the place of the one before, and of no other', async () => {
    const { token } = await create('log shipper')
    await ensureApiToken(storage.db, known, context())
    const next = known.replace('1', '2')

    await ensureApiToken(storage.db, next, context())

    expect(await isApiToken(storage.db, secrets, known)).toBe(false)
    expect(await isApiToken(storage.db, secrets, next)).toBe(true)
    expect(await isApiToken(storage.db, secrets, token)).toBe(true)
  })
})
