import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { hasPostgres, noPostgres, removeCluster } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder in which the first suite that wants PostgreSQL starts one. */
    postgresFolder: string
  }
}

const prefix = 'rekey-pg-'

/** Names the folder of this run's PostgreSQL; stops what was started in it when the run is over. */
export default function setup(project: TestProject): () => void {
  // Said once a run: reporters do not show the titles of skipped suites.
  if (!hasPostgres()) console.warn(`Suites on PostgreSQL are skipped: ${noPostgres}`)
  removeOrphans()
  const folder = mkdtempSync(join(tmpdir(), prefix))
  writeFileSync(join(folder, 'owner'), String(process.pid))
  project.provide('postgresFolder', folder)
  return () => removeCluster(folder)
}

/** A run that was killed leaves its PostgreSQL behind; the next one clears it away. */
function removeOrphans(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    try {
      const owner = Number(readFileSync(join(tmpdir(), name, 'owner'), 'utf8'))
      if (owner > 0 && !isAlive(owner)) removeCluster(join(tmpdir(), name))
    } catch {
      // Another run's, or gone meanwhile: not ours to clear.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
