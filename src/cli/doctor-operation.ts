import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { meltableMs, readableByOthers } from '../base/index.ts'
import type { Config, Finding } from '../config/index.ts'
import { parseDatabaseUrl, type Storage } from '../storage/index.ts'
import { problemOf, readTimes } from './clock.ts'
import { nodeProblem } from './node-version.ts'

const met = (why: string) => ({ result: 'met', why }) as const
const deviates = (why: string) => ({ result: 'deviates', why }) as const

/** What this machine is like, beside the settings. Reads only. */
export function operationOf({ database, workers }: Config): readonly Finding[] {
  const address = parseDatabaseUrl(database.url)
  const path = address.kind === 'sqlite' ? address.path : undefined
  return [
    runtime(process.version),
    processes(workers, availableParallelism()),
    ...(path === undefined || !existsSync(path) ? [] : [files(path)]),
  ]
}

/** How many processes answer, and what that means for what a node allows. */
export function processes(workers: Config['workers'], cores: number): Finding {
  const count = workers === 'auto' ? cores : workers
  const of = `${cores} ${cores === 1 ? 'core' : 'cores'}`
  const several = `${count} workers and a primary, on ${of}: one node, whose limits are of all of them together`
  return {
    id: 'workers',
    standard: 'Operation',
    asks: 'rekey serve answers with no more processes than this machine has cores',
    ...(count > cores
      ? deviates(`${several}; more workers than cores take memory and answer no sooner`)
      : met(
          count > 1
            ? several
            : `one process, on ${of}${cores > 1 ? ': rekey serve --workers=auto uses all of them' : ''}`,
        )),
  }
}

const pinned = fileURLToPath(new URL('../../node_modules/', import.meta.url))

function runtime(version: string): Finding {
  // The one of a checkout is for development: a package of a third party, whose origin no test checks.
  const isPinned = process.execPath.startsWith(pinned)
  const problem =
    nodeProblem(version) ??
    (isPinned ? `this is the Node that the lock pins for development: run the system's Node` : undefined)
  return {
    id: 'node',
    standard: 'Operation',
    asks: 'the Node that runs this command has no hole that is known to this version of Rekey',
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

/** Whether the time that the database has noted is the right one. Reads only. */
export async function clockOf(storage: Storage): Promise<readonly Finding[]> {
  const finding = {
    id: 'clock',
    standard: 'Operation',
    asks: 'the time that the database has noted is not ahead of the right one',
  } as const
  const times = await readTimes(storage)
  const isAhead = times.aheadSeconds * 1000 > meltableMs
  return [{ ...finding, ...(isAhead ? deviates(problemOf(times)) : met('it is not')) }]
}
