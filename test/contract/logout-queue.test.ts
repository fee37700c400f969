import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import {
  hasEndedSessions,
  revokeSession,
  revokeSessionsOf,
  takeEndedSessions,
} from '../../src/sessions/index.ts'
import { insert, openStorage, type Storage } from '../../src/storage/index.ts'
import { onEachDatabase } from '../support/postgres.ts'

onEachDatabase('the ends of sessions that apps are sent', (kind) => {
  let drop: () => Promise<void>
  let storage: Storage
  const now = 1_800_000_000_000

  beforeEach(async () => {
    const database = await kind.create()
    drop = database.drop
    storage = await openStorage({ url: database.url, log: silentLogger })
    await storage.migrate()
    for (const [id, settings] of [
      ['listens', { backchannelLogoutUri: 'https://app.example/logout' }],
      ['plain', {}],
    ] as const) {
      await insert(storage.db, 'clients', [
        {
          ...{ id, label: id, status: 'ACTIVE', secrets: '[]', settings: JSON.stringify(settings) },
          ...{ created_at: now, updated_at: now },
        },
      ])
    }
    await begins('browser', 'plain', { cookie_hash: 'x', used_at: now })
    await begins('one', 'listens', { parent_id: 'browser' })
    await begins('two', 'plain', { parent_id: 'browser' })
    await begins('three', 'listens')
  })
  afterEach(async () => {
    await storage.close()
    await drop()
  })

  const begins = (id: string, clientId: string, more: object = {}) =>
    insert(storage.db, 'sessions', [
      {
        ...{ id, person_id: 'ada', client_id: clientId, details: '{"amr":[]}', created_at: now },
        ...{ expires_at: now + 60_000, revoked_at: null, cookie_hash: null, used_at: null },
        ...{ parent_id: null, logout_at: null, ...more },
      },
    ])

  const taken = async () =>
    (await storage.transaction((tx) => takeEndedSessions(tx, storage.kind, { now, limit: 100 }))).map(
      ({ id }) => id,
    )

  test('each end is taken once: of an app that listens, and of the apps of a browser', async () => {
    expect([await hasEndedSessions(storage, now), await taken()]).toEqual([false, []])
    await revokeSession(storage.db, 'three', now)
    await revokeSession(storage.db, 'two', now)
    expect([await hasEndedSessions(storage, now), await taken(), await taken()]).toEqual([
      true,
      ['three'],
      [],
    ])
    await revokeSession(storage.db, 'browser', now)
    expect([await taken(), await taken()]).toEqual([['one'], []])
    expect(await revokeSessionsOf(storage.db, 'ada', now)).toBe(1)
    expect(await taken()).toEqual(['one'])
  })

  test('two nodes that come at once share them', async () => {
    await revokeSessionsOf(storage.db, 'ada', now)
    const all = (await Promise.all([taken(), taken(), taken()])).flat()
    expect(all.toSorted()).toEqual(['one', 'three'])
  })
})
