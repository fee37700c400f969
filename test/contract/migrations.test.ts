import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import {
  type MigrateOptions,
  openStorage,
  type SchemaChange,
  SchemaError,
  type Storage,
} from '../../src/storage/index.ts'
import { migrations } from '../../src/storage/migrations/index.ts'
import { statementsOf } from '../../src/storage/migrator.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const names = Object.keys(migrations)
const newest = names.at(-1) ?? ''

/** Made-up migrations of a newer version. */
const expands: SchemaChange = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable('people').addColumn('shoe', 'text').execute()
  },
}
const contracts: SchemaChange = {
  contract: '0098-expands',
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable('people').dropColumn('last_login_at').execute()
  },
}
const upTo = (last: string) => Object.fromEntries(Object.entries(migrations).filter(([name]) => name <= last))

let place: TestDatabase
const opened: Storage[] = []
let lines: string[]

async function open(url = place.url): Promise<Storage> {
  const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
  const storage = await openStorage({ url, log })
  opened.push(storage)
  return storage
}
const logged = (message: RegExp) => lines.filter((line) => message.test(line))

beforeEach(() => {
  lines = []
})
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close()
  await place.drop()
})

onEachDatabase('a database that a newer version has migrated', (database) => {
  beforeEach(async () => {
    place = await database.create()
  })

  test('is run on by an older version where the newer one only expanded', async () => {
    const old = await open()
    await old.migrate()
    expect(await old.schemaState()).toEqual({ pending: [], newer: [] })

    const newer = await open()
    await newer.migrate({ migrations: { ...migrations, '0098-expands': expands } })
    expect(await old.schemaState()).toEqual({ pending: [], newer: ['0098-expands'] })
    expect(await old.migrate()).toEqual([])
  })

  test('is refused in clear words where the newer one took something away that the older one reads', async () => {
    const newer = await open()
    const all = { ...migrations, '0098-expands': expands, '0099-contracts': contracts }
    expect(await newer.migrate({ migrations: all })).toEqual(Object.keys(all))

    const old = await open()
    for (const tried of [() => old.schemaState(), () => old.migrate()]) {
      await expect(tried()).rejects.toThrow(SchemaError)
      await expect(tried()).rejects.toThrow(
        `the database was migrated by a newer version of Rekey (0098-expands, 0099-contracts), and this one, which knows the migrations up to ${newest}, cannot run on it: 0099-contracts needs a version that knows 0098-expands.`,
      )
    }
    // A version between the two knows what it needs.
    const between = await open()
    expect(await between.migrate({ migrations: { ...migrations, '0098-expands': expands } })).toEqual([])
    // What comes later takes nothing back.
    await newer.migrate({ migrations: { ...all, '0100-expands': { up: async () => {} } } })
    await expect(old.migrate()).rejects.toThrow(
      /cannot run on it: 0099-contracts needs a version that knows 0098-expands\./,
    )
  })

  test('is refused where nothing says that older versions may run on it', async () => {
    const storage = await open()
    const before = upTo('0003-people-search')
    await storage.migrate({ migrations: before })
    await storage.migrate({ migrations: { ...before, '0004-next': expands } })
    await expect(storage.migrate({ migrations: before })).rejects.toThrow(
      /0004-next.*up to 0003-people-search.*nothing says that an older version can run with 0004-next/,
    )
  })

  test('is refused where a migration that this version does not know stands in its list alone', async () => {
    const storage = await open()
    await storage.migrate()
    await sql`insert into kysely_migration (name, timestamp) values ('0099-next', '2030-01-01T00:00:00.000Z')`.execute(
      storage.db,
    )
    await expect(storage.schemaState()).rejects.toThrow(
      /nothing says that an older version can run with 0099-next/,
    )
  })

  test('is refused where it lacks a migration of this version', async () => {
    const storage = await open()
    await storage.migrate({ migrations: { ...upTo('0007-enrollments'), '0098-expands': expands } })
    await expect(storage.migrate()).rejects.toThrow(/it has 0098-expands and lacks .*0010-contracts/)
  })

  test('says that versions from before enrollments cannot run on it', async () => {
    const storage = await open()
    await storage.migrate()
    await expect(storage.migrate({ migrations: upTo('0003-people-search') })).rejects.toThrow(
      /up to 0003-people-search, cannot run on it: .* with 0007-enrollments/,
    )
  })
})

onEachDatabase('a migration that fails', (database) => {
  beforeEach(async () => {
    place = await database.create()
  })

  test('leaves nothing of itself and everything of those before it, and the next run goes on from there', async () => {
    const storage = await open()
    let isBroken = true
    const breaks: SchemaChange = {
      up: async (db: Kysely<unknown>) => {
        await db.schema.alterTable('people').addColumn('hat', 'text').execute()
        if (isBroken) await sql`insert into nowhere values (1)`.execute(db)
      },
    }
    const all: MigrateOptions = {
      migrations: { ...migrations, '0098-expands': expands, '0099-breaks': breaks },
    }
    const tried = storage.migrate(all)
    await expect(tried).rejects.toThrow(SchemaError)
    await expect(tried).rejects.toThrow(
      /^the migration 0099-breaks failed: .*nowhere.* Nothing of it was changed, and it can be run again$/,
    )
    const hats = sql`select hat from people`
    await expect(hats.execute(storage.db)).rejects.toThrow()
    await sql`select shoe from people`.execute(storage.db)
    isBroken = false
    expect(await storage.migrate(all)).toEqual(['0099-breaks'])
    await hats.execute(storage.db)
  })
})

/** Indexes that are not unique, and that versions from before read once, as they start: without them that is slower, and right. */
const dispensable = /^drop index if exists "transactions_by_(updated_at|link_hash)"$/

/** What a version that still runs would stumble over. */
const takesAway =
  /\b(drop|rename|truncate)\b|\balter column\b|\badd constraint\b|add column "\w+" \w+ not null(?! default)|default \S+ not null drop/i

test.each(['sqlite', 'postgres'] as const)(
  'from 0008 on, a migration on %s expands only, or says which versions it shuts out',
  async (kind) => {
    const found = async (change: SchemaChange) =>
      (await statementsOf(change, kind))
        .map((query) => query.sql)
        .filter((text) => takesAway.test(text) && !dispensable.test(text))
    for (const [name, change] of Object.entries(migrations)) {
      if (name > '0008' && change.contract === undefined)
        expect([name, await found(change)]).toEqual([name, []])
      if (change.contract !== undefined) expect(names).toContain(change.contract)
    }
    // The check itself can fail.
    expect(await found(contracts)).toHaveLength(1)
    expect(await found(migrations['0007-enrollments'] ?? expands)).toHaveLength(1)
    const required: SchemaChange = {
      up: (db: Kysely<unknown>) =>
        db.schema
          .alterTable('people')
          .addColumn('shoe', 'text', (c) => c.notNull())
          .execute(),
    }
    expect(await found(required)).toHaveLength(1)
    expect(await found(migrations['0004-user-version'] ?? contracts)).toEqual([])
  },
)

onEachDatabase('a migration beside other sessions', (database) => {
  // SQLite has one writer, and no locks but that of the file.
  if (database.name === 'sqlite') return test.skip('only on PostgreSQL', () => {})
  const clients: pg.Client[] = []
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: place.url, application_name: 'a report' })
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
    return client
  }
  beforeEach(async () => {
    place = await database.create()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end()
  })

  test('has no statement timeout, whatever the role and the pool have', async () => {
    const admin = await connect()
    await admin.query(
      `do $$ begin execute format('alter database %I set statement_timeout = 300', current_database()); end $$`,
    )
    const storage = await open()
    const slow: SchemaChange = {
      up: async (db: Kysely<unknown>) => void (await sql`select pg_sleep(0.6)`.execute(db)),
    }
    const applied = await storage.migrate({ migrations: { ...migrations, '0098-slow': slow } })
    expect(applied).toContain('0098-slow')
  })

  test('waits shortly for a lock, lets sign-ins pass, says whom it waits for, and gets it in the end', async () => {
    const storage = await open()
    await storage.migrate()
    const blocker = await connect()
    await blocker.query('begin')
    await blocker.query("select count(*) from people where login <> 'a secret'")
    const migrating = storage.migrate({
      migrations: { ...migrations, '0098-expands': expands },
      lockTimeoutMs: 1300,
    })
    await expect.poll(() => logged(/a migration waits for a lock/).length).toBeGreaterThan(0)
    // Behind the ALTER TABLE that waits, this waits too, but not for as long as the other session takes.
    await storage.db.selectFrom('people').select('id').execute()
    await expect.poll(() => logged(/tried again/).length).toBeGreaterThan(0)
    await blocker.query('commit')
    expect(await migrating).toEqual(['0098-expands'])

    const [line = ''] = logged(/a migration waits for a lock/)
    expect(line).toMatch(/"migration":"0098-expands"/)
    expect(line).toMatch(
      /on people of process \d+ of the server \(a report, idle in transaction\): select count/,
    )
    expect(line).not.toContain('a secret')
    expect(logged(/tried again/).length).toBeGreaterThan(0)
  })

  test('that never gets its lock fails with the session that holds it, and changes nothing', async () => {
    const storage = await open()
    await storage.migrate()
    const blocker = await connect()
    await blocker.query('begin; lock table people in row exclusive mode')
    const tried = storage.migrate({
      migrations: { ...migrations, '0098-expands': expands },
      lockTimeoutMs: 1300,
      patienceMs: 100,
    })
    await expect(tried).rejects.toThrow(
      /^the migration 0098-expands failed: canceling statement due to lock timeout \(waiting for a lock on people of process \d+ .*\(a report, idle in transaction\)/,
    )
    expect(await storage.schemaState()).toEqual({ pending: [], newer: [] })
  })

  /** Adds users without their other rows. */
  const fill = (client: pg.Client, many: number) =>
    client.query(
      `insert into people (id, status, login, login_key, email, email_key, first_key, last_key, profile,
        created_at, updated_at, status_changed_at)
      select 'u' || n, 'ACTIVE', 'u' || n, 'u' || n, 'u' || n, 'u' || n, '', '', '{"login":"u","email":"u"}', n, n, n
      from generate_series(1, $1::int) as n`,
      [many],
    )
  const indexes = async (client: pg.Client) => {
    const { rows } = await client.query(
      `select indexrelid::regclass::text as name, indisvalid as valid, pg_get_indexdef(indexrelid) as text
       from pg_index where indrelid = 'people'::regclass order by 1`,
    )
    return rows as readonly { readonly name: string; readonly valid: boolean; readonly text: string }[]
  }

  test('builds the indexes of a large table while writers go on, the same as those of a small one', async () => {
    const client = await connect()
    const before = upTo('0002-service-apps')
    const storage = await open()
    await storage.migrate({ migrations: before })
    await fill(client, 50)
    // A session with a change of a user that is not committed: `create index` would wait, and all changes behind it.
    const writer = await connect()
    await writer.query("begin; update people set status = 'STAGED' where id = 'u1'")
    const migrating = storage.migrate({
      migrations: upTo('0003-people-search'),
      largeTable: 20,
      lockTimeoutMs: 500,
    })
    await expect.poll(() => logged(/building an index/).length).toBeGreaterThan(0)
    await expect.poll(() => logged(/a migration waits for a lock/).length).toBeGreaterThan(0)
    // It would wait until the other session has committed, which it does only then.
    await client.query("update people set status = 'STAGED' where id = 'u2'")
    await writer.query('commit')
    expect(await migrating).toEqual(['0003-people-search'])
    const large = await indexes(client)
    expect(logged(/a migration waits for a lock/).length).toBeGreaterThan(0)

    const other = await database.create()
    const small = await open(other.url)
    await small.migrate({ migrations: upTo('0003-people-search') })
    const there = new pg.Client({ connectionString: other.url })
    await there.connect()
    expect(large).toEqual(await indexes(there))
    expect(large.map(({ valid }) => valid)).not.toContain(false)
    await there.end()
    await small.close()
    await other.drop()
  })

  test('builds an index anew that an interrupted build has left invalid', async () => {
    const client = await connect()
    const storage = await open()
    await storage.migrate({ migrations: upTo('0002-service-apps') })
    await fill(client, 50)
    // An interrupted build leaves the index with its name, and PostgreSQL never uses it.
    await client
      .query('create unique index concurrently people_by_created_at on people ((1))')
      .catch(() => {})
    expect((await indexes(client)).filter(({ valid }) => !valid).map(({ name }) => name)).toEqual([
      'people_by_created_at',
    ])
    await storage.migrate({ migrations: upTo('0003-people-search'), largeTable: 1000 })
    expect(await indexes(client)).toContainEqual({
      name: 'people_by_created_at',
      valid: true,
      text: 'CREATE INDEX people_by_created_at ON public.people USING btree (created_at)',
    })
    expect(logged(/was not built to its end/)).toHaveLength(1)
  })

  test('waits for another node that migrates, also while that one builds indexes', async () => {
    const client = await connect()
    const nodes = await Promise.all([open(), open(), open()])
    await nodes[0]?.migrate({ migrations: upTo('0002-service-apps') })
    await fill(client, 50)
    // One of them is held up, until the others have come as far.
    const writer = await connect()
    await writer.query("begin; update people set status = 'STAGED' where id = 'u1'")
    const migrating = Promise.all(nodes.map((node) => node.migrate({ largeTable: 20 })))
    await expect.poll(() => logged(/another node migrates the database/).length).toBe(2)
    await writer.query('commit')
    const done = await migrating
    expect(done.flat().toSorted()).toEqual(names.filter((name) => name > '0003').toSorted())
    expect(logged(/another node migrates the database/).length).toBe(2)
  })
})
