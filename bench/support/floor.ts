import { join } from 'node:path'
import { type BenchDatabase, createDatabase } from './databases.ts'
import { startProcess } from './engine.ts'
import { closedLoop, cpuMsPerFlow } from './loop.ts'

/** CPU ms a flow of a process that does the least that a recovery needs, on a database of its own kind. */
export async function floorCpuMs(
  kind: BenchDatabase['name'],
  load: { readonly count: number; readonly parallel: number },
): Promise<number> {
  const database = await createDatabase(kind)
  const floor = await startProcess(join(import.meta.dirname, 'floor-process.ts'), { database: database.url })
  const users = { next: 0 }
  await closedLoop(floor, users, { ...load, count: Math.min(200, load.count) })
  const ms = await cpuMsPerFlow(floor, users, load)
  await floor.close()
  await database.drop()
  return ms
}
