import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { type BenchDatabase, createDatabase, openBenchStorage } from './databases.ts'
import { startEngineProcess } from './engine.ts'
import { closedLoop, cpuMsPerFlow } from './loop.ts'
import { addPeople } from './people.ts'

/** What several workers cost beside one process, in turns in one run. */
export interface WorkersFigures {
  readonly database: BenchDatabase['name']
  /** CPU of all processes of the engine a flow, in milliseconds, a value a turn. */
  readonly one: readonly number[]
  readonly several: readonly number[]
  readonly flowsPerSecond: { readonly one: number; readonly several: number }
  /** Of the samples of all connections that were in a statement, those that waited for a lock; PostgreSQL only. */
  readonly lockShare: number | undefined
  /**
   * How often a write of the several workers waited for another process, in a flow, and the share of the wall time of all of them that
   * it waited; SQLite only.
   */
  readonly busyWaits: { readonly perFlow: number; readonly shareOfTime: number } | undefined
}

export async function measureWorkers(
  kind: BenchDatabase['name'],
  workers: number,
  { turns, count, parallel }: { readonly turns: number; readonly count: number; readonly parallel: number },
): Promise<WorkersFigures> {
  const sides = await Promise.all(
    [1, workers].map(async (processes) => {
      const database = await createDatabase(kind)
      const storage = await openBenchStorage(database)
      const order = { database: database.url, hash: 'free', knownCodes: true, workers: processes } as const
      const engine = await startEngineProcess(order)
      const hash = `free$${createHash('sha256').update('none').digest('base64url')}`
      await addPeople(storage, (turns + 1) * count, hash)
      const users = { next: 0 }
      await closedLoop(engine, users, { count, parallel })
      return { database, storage, engine, users, cpuMs: [] as number[], ms: 0 }
    }),
  )
  const waits = { all: 0, locks: 0 }
  const several = sides[1]
  const look = setInterval(() => {
    if (kind !== 'postgres' || several === undefined) return
    void sql<{ all: number; locks: number }>`
      select count(*)::int as "all", count(*) filter (where wait_event_type = 'Lock')::int as locks
      from pg_stat_activity
      where state = 'active' and datname = current_database() and pid <> pg_backend_pid()`
      .execute(several.storage.db)
      .then(({ rows: [row] }) => {
        waits.all += row?.all ?? 0
        waits.locks += row?.locks ?? 0
      })
  }, 20)
  const begunWaits = await lockWaits(several?.engine.url)
  for (let turn = 0; turn < turns; turn++) {
    for (const side of sides) {
      const begun = performance.now()
      side.cpuMs.push(await cpuMsPerFlow(side.engine, side.users, { count, parallel }))
      side.ms += performance.now() - begun
    }
  }
  clearInterval(look)
  const endedWaits = await lockWaits(several?.engine.url)
  for (const { engine, storage, database } of sides) {
    await engine.close()
    await storage.close()
    await database.drop()
  }
  const perSecond = (side: (typeof sides)[number] | undefined) => (turns * count * 1000) / (side?.ms ?? 1)
  return {
    database: kind,
    one: sides[0]?.cpuMs ?? [],
    several: several?.cpuMs ?? [],
    flowsPerSecond: { one: perSecond(sides[0]), several: perSecond(several) },
    lockShare: waits.all === 0 ? undefined : waits.locks / waits.all,
    busyWaits: begunWaits &&
      endedWaits && {
        perFlow: (endedWaits.count - begunWaits.count) / (turns * count),
        shareOfTime:
          ((endedWaits.seconds - begunWaits.seconds) * 1000) / ((several?.ms ?? Infinity) * workers),
      },
  }
}

/** What the workers say of their waits for the SQLite file; undefined with PostgreSQL. */
async function lockWaits(
  url = '',
): Promise<{ readonly count: number; readonly seconds: number } | undefined> {
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
  const sumNamed = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  const count = sumNamed('rekey_database_lock_waits_total')
  const seconds = sumNamed('rekey_database_lock_wait_seconds_total')
  return count === undefined ? undefined : { count: Number(count), seconds: Number(seconds) }
}
