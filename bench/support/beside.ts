import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BenchDatabase, createDatabase } from './databases.ts'
import { type EngineProcess, startProcess } from './engine.ts'
import { closedLoop, cpuMsPerFlow, type Users } from './loop.ts'
import { median } from './report.ts'

/** CPU ms a flow of two checkouts in turns, and what the first costs of the second. */
export interface Pairing {
  readonly database: BenchDatabase['name']
  readonly here: readonly number[]
  readonly beside: readonly number[]
  readonly ratioOfMedians: number
}

interface Side {
  readonly engine: EngineProcess
  readonly users: Users
  close(): Promise<void>
}

/**
 * Compares this checkout with another one in one run: how busy the machine is changes from minute to minute, so they
 * work in turns, and which one begins changes from turn to turn. Each has an engine and a database of its own.
 */
export async function paired(
  kind: BenchDatabase['name'],
  other: string,
  options: { readonly turns: number; readonly count: number; readonly parallel: number },
): Promise<Pairing> {
  const { turns, ...load } = options
  const users = turns * load.count + 200
  const here = await openSide(join(import.meta.dirname, '../..'), kind, users)
  const beside = await openSide(resolve(other), kind, users)
  const ms = { here: [] as number[], beside: [] as number[] }
  for (const side of [here, beside]) {
    await closedLoop(side.engine, side.users, { ...load, count: Math.min(200, load.count) })
  }
  for (let turn = 0; turn < turns; turn++) {
    const order = [['here', here] as const, ['beside', beside] as const]
    if (turn % 2 === 1) order.reverse()
    for (const [name, { engine, users }] of order) ms[name].push(await cpuMsPerFlow(engine, users, load))
  }
  await here.close()
  await beside.close()
  return { database: kind, ...ms, ratioOfMedians: median(ms.here) / median(ms.beside) }
}

/** The engine of a checkout, and users in its database, by that checkout's own code. */
async function openSide(root: string, kind: BenchDatabase['name'], users: number): Promise<Side> {
  const support = join(root, 'bench/support')
  if (!existsSync(join(support, 'engine-process.ts'))) throw new Error(`${root} is no checkout with a bench/`)
  const load = (file: string) => import(pathToFileURL(join(support, file)).href)
  const { openBenchStorage } = (await load('databases.ts')) as typeof import('./databases.ts')
  // An earlier checkout has it under another name.
  const { addPeople, ...people } = (await load('people.ts')) as typeof import('./people.ts') & {
    readonly nobodysHash?: (hash: 'free' | 'standard') => Promise<string>
  }
  const unmatchedHash = people.nobodysHash ?? people.unmatchedHash
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash: 'free', knownCodes: true }
  const engine = await startProcess(join(support, 'engine-process.ts'), order)
  await addPeople(storage, users, await unmatchedHash('free'))
  await storage.close()
  return {
    engine,
    users: { next: 0 },
    async close() {
      await engine.close()
      await database.drop()
    },
  }
}
