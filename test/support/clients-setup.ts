import { installClients } from '../../scripts/clients.ts'

/** Installs the published clients that suites drive, once for each version of their lock. */
export default async function setup(): Promise<void> {
  const problem = await installClients()
  if (problem === undefined) return
  // In CI a suite without its client fails instead of being skipped.
  if (process.env.REKEY_REQUIRE_CLIENTS === '1') throw new Error(problem)
  // Once a run: reporters do not show the titles of skipped suites.
  console.warn(`Suites of published clients are skipped: ${problem}`)
}
