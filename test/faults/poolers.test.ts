import { sql } from 'kysely'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { explain } from '../../src/cli/explain.ts'
import { checkConfig } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { atTheReset, newPassword, visit } from '../support/attacks.ts'
import { type Node, nodeSettings, startFastNode } from '../support/nodes.ts'
import { noPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { databases, type TestDatabase } from '../support/postgres.ts'

const mary = 'mary@example.com'
const skipped = noPgBouncer()
if (skipped !== undefined) console.warn(`Suites with PgBouncer are skipped: ${skipped}`)

describe.skipIf(skipped !== undefined)('PgBouncer in front of PostgreSQL', () => {
  let database: TestDatabase
  let bouncer: PgBouncer
  const closing: { close(): Promise<unknown> }[] = []

  async function start(
    mode: 'session' | 'transaction',
    settings: Readonly<Record<string, number>> = {},
  ): Promise<string> {
    database = (await databases[1]?.create()) ?? { url: '', drop: async () => {} }
    bouncer = await startPgBouncer(inject('postgresFolder'), mode, settings)
    return bouncer.url(new URL(database.url).pathname.slice(1))
  }
  afterEach(async () => {
    for (const one of closing.splice(0).reverse()) await one.close()
    await bouncer.close()
    await database.drop()
  })
  const closed = <T extends { close(): Promise<unknown> }>(one: T): T => {
    closing.push(one)
    return one
  }

  async function walks(node: Node): Promise<void> {
    const visitor = await atTheReset(node, mary)
    const done = await visitor.answers(newPassword)
    expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
    const again = await visit(node)
    const credentials = { passcode: newPassword }
    const signedIn = await again.submits('identify', { identifier: mary, credentials })
    expect((await again.redeems(signedIn.interactionCode ?? '')).status).toBe(200)
    expect((await fetch(`${node.engineUrl}/health/ready`)).status).toBe(200)
  }

  // PgBouncer refuses parameters of the start that it does not know: none is sent (O-M5).
  test('in session mode nothing needs to be set: a recovery, a sign-in', async () => {
    const url = await start('session')
    await walks(closed(await startFastNode({ database: { url } })))
  })

  test('a parameter of the address that it refuses is named at the start, with what to do', async () => {
    const url = `${await start('session')}?options=-c%20search_path%3Dpublic`
    const error = await startFastNode({ database: { url } }).catch((reason) => reason)
    expect(explain(error).join('\n')).toMatch(
      /unsupported startup parameter.*remove it there, or name it in the ignore_startup_parameters/,
    )
  })

  // Fewer connections than the nodes have: each transaction gets the one that is free.
  test('in transaction mode, with the setting: two nodes share three connections', async () => {
    const url = await start('transaction', { default_pool_size: 3 })
    const settings = { database: { url, pooler: 'transaction' } } as const
    const node = closed(await startFastNode(settings))
    const config = checkConfig(nodeSettings(node.sink.url, settings))
    const other = closed(await openEngine(config, { clock: node.clock, log: silentLogger }))
    await walks(node)

    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const target =
          index % 2 === 0 ? node : { ...node, engineUrl: other.baseUrl, issuer: other.issuers.default }
        const visitor = await visit(target)
        return (await visitor.submits('introspect')).status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('in transaction mode nothing stays on a session, and a transaction has limits of time', async () => {
    const url = await start('transaction', { default_pool_size: 1 })
    const direct = closed(await openStorage({ url: database.url }))
    await direct.migrate()
    const storage = closed(await openStorage({ url, pooler: 'transaction' }))
    const show = async (db: Pick<Storage['db'], 'getExecutor'>, name: string) =>
      (await sql.raw<{ value: string }>(`select current_setting('${name}') as value`).execute(db)).rows[0]
        ?.value
    const inside = await storage.transaction(async (tx) => [
      await show(tx, 'statement_timeout'),
      await show(tx, 'idle_in_transaction_session_timeout'),
    ])
    expect(inside).toEqual(['10s', '10s'])
    expect(await show(storage.db, 'statement_timeout')).toBe('0')
    expect(await show(storage.db, 'enable_seqscan')).toBe('on')
    const prepared = await sql`select name from pg_prepared_statements`.execute(storage.db)
    expect(prepared.rows).toEqual([])
  })

  test('in transaction mode without the setting the answer is 503, and its cause names the setting', async () => {
    const url = await start('transaction', { default_pool_size: 2 })
    const storage = closed(await openStorage({ url, poolSize: 6 }))
    const direct = closed(await openStorage({ url: database.url }))
    await direct.migrate()
    const errors: unknown[] = []
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        storage.db
          .selectFrom('settings')
          .selectAll()
          .where('key', '=', String(index))
          .execute()
          .catch((error) => errors.push(error)),
      ),
    )
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) {
      expect(error).toMatchObject({
        status: 503,
        detail: expect.stringContaining('REKEY_DATABASE_POOLER=transaction'),
      })
    }
  })
})
