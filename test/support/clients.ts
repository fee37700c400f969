import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { load } from '../clients/load.ts'

/** The folder of the published clients, which has a lock of its own (`scripts/clients.ts`). */
export const clientsFolder = join(import.meta.dirname, '../clients')

/**
 * Whether they are installed. Where they cannot be, as without a network, suites that need them are skipped, and the run
 * prints why at its start (`clients-setup.ts`).
 */
export const hasClients = existsSync(join(clientsFolder, 'node_modules/.lock-hash'))

/** A package of them, as CommonJS. The caller names its type: its own types are not there before it is installed. */
export const requireClient = <T>(name: string): T =>
  createRequire(join(clientsFolder, 'package.json'))(name) as T

/** A package of them, as an app on a server gets it by `import`. */
export async function importClient<T>(name: string): Promise<T> {
  return (await load(name)) as T
}
