import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { meltableMs, readableByOthers } from '../base/index.ts'
import type { Config, Finding } from '../config/index.ts'
import { openStorage, parseDatabaseUrl } from '../storage/index.ts'
import { problemOf, readTimes } from './clock.ts'
import { nodeProblem } from './node-version.ts'

const met = (why: string) => ({ result: 'met', why }) as const
const deviates = (why: string) => ({ result: 'deviates', why }) as const

/** What this machine and the database are like, beside the settings. Reads only. */
export async function operationOf({ database }: Config): Promise<readonly Finding[]> {
  const address = parseDatabaseUrl(database.url)
  const path = address.kind === 'sqlite' ? address.path : undefined
  const isMissing = address.kind === 'memory' || (path !== undefined && !existsSync(path))
  return [
    runtime(process.version),
    ...(path === undefined || isMissing ? [] : [files(path)]),
    ...(isMissing ? [] : await clock(database)),
  ]
}

const pinned = fileURLToPath(new URL('../../node_modules/', import.meta.url))

function runtime(version: string): Finding {
  // The one of a checkout is for development: a package of a third party, whose origin no test checks (F19).
  const isPinned = process.execPath.startsWith(pinned)
  const problem =
    nodeProblem(version) ??
    (isPinned ? `this is the Node that the lock pins for development: run the system's Node` : undefined)
  return {
    id: 'node',
    standard: 'Operation',
    asks: 'the Node that runs the engine has no hole that is known to this version of Rekey',
    ...(problem === undefined ? met(`this is ${version}`) : deviates(problem)),
  }
}

function files(path: string): Finding {
  const readable = readableByOthers([path, `${path}-wal`, `${path}-shm`])
  return {
    id: 'files',
    standard: 'Operation',
    asks: 'the database file can be read by its owner only: it holds password hashes',
    ...(readable.length === 0
      ? met('no other user can read it')
      : deviates(`other users of this machine can read ${readable.join(', ')}: chmod 600 them`)),
  }
}

async function clock({ url, pooler }: Config['database']): Promise<readonly Finding[]> {
  const finding = {
    id: 'clock',
    standard: 'Operation',
    asks: 'the time that the database has noted is not ahead of the right one',
  } as const
  const storage = await openStorage({ url, poolSize: 1, pooler })
  try {
    const times = await readTimes(storage)
    return [
      {
        ...finding,
        ...(times.aheadSeconds * 1000 > meltableMs ? deviates(problemOf(times)) : met('it is not')),
      },
    ]
  } catch {
    // Without tables yet, or not reachable: the check of the apps reports it.
    return []
  } finally {
    await storage.close().catch(() => {})
  }
}
