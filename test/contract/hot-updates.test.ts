import { sql } from 'kysely'
import { describe, expect, test, vi } from 'vitest'
import { newVisitor, startEngine } from '../../src/testing/index.ts'
import { databases } from '../support/postgres.ts'

// A row that is written anew leaves the indexes of its table alone, and is cleaned up without a vacuum, where no column of an
// index has changed and its page has room.

describe.skipIf(databases[1]?.skipped !== undefined)('the rows of PostgreSQL', () => {
  test('of transactions are rewritten in place by each step but the one that names the user', async () => {
    const { url = '', drop = async () => {} } = (await databases[1]?.create()) ?? {}
    const idp = await startEngine({ database: url })
    const { db } = idp.engine.storage
    const passwords = ['Tangerine-Kettle-42', 'Umbrella-Saxophone-19', 'Lighthouse-Biscuit-77']
    for (const password of passwords) {
      const visitor = newVisitor(idp)
      await visitor.atTheReset(idp.person.login)
      await visitor.redeems((await visitor.answers(password)).interactionCode ?? '')
    }
    const counts = async () => {
      const { rows } = await sql<{ all: string; hot: string }>`
        select n_tup_upd as "all", n_tup_hot_upd as hot from pg_stat_user_tables where relname = 'transactions'`.execute(
        db,
      )
      return { all: Number(rows[0]?.all), hot: Number(rows[0]?.hot) }
    }
    // The begin of the recovery, the user, the mail, the code, the password: counted some time after they are committed.
    const moves = 5 * passwords.length
    await vi.waitFor(async () => expect((await counts()).all).toBeGreaterThanOrEqual(moves), 20_000)
    const { all, hot } = await counts()
    expect(hot).toBeGreaterThanOrEqual(all - passwords.length)
    await idp.close()
    await drop()
  })
})
