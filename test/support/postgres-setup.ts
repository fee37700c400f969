import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { removeCluster } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder in which the first suite that wants PostgreSQL starts one. */
    postgresFolder: string
  }
}

/** Names the folder of this run's PostgreSQL; stops what was started in it when the run is over. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-pg-'))
  project.provide('postgresFolder', folder)
  return () => removeCluster(folder)
}
