import { isLocalhostOrigin, listClients, listTrustedOrigins, originsOf } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'

interface Known {
  readonly origins: ReadonlySet<string>
  readonly localhost: boolean
  readonly readAt: number
}

/** How long an origin that was allowed stays so without another look, in milliseconds. */
const trustFor = 5000

/**
 * Which origins browsers may call from: those of active clients' redirect URIs, the trusted ones, the engine's own,
 * and any localhost where a client is registered so for development. An origin that is not known makes it look again,
 * so that a client just registered works at once.
 */
export function createOrigins(db: Db, ownOrigin: () => string): (origin: string) => Promise<boolean> {
  let known: Known | undefined
  let reading: Promise<Known> | undefined

  async function read(): Promise<Known> {
    const clients = (await listClients(db)).filter(({ status }) => status === 'ACTIVE')
    const trusted = await listTrustedOrigins(db)
    known = {
      origins: new Set([...clients.flatMap(originsOf), ...trusted]),
      localhost: clients.some(({ settings }) => settings.insecureLocalhostRedirects === true),
      readAt: performance.now(),
    }
    return known
  }
  const has = (list: Known, origin: string): boolean =>
    list.origins.has(origin) || (list.localhost && isLocalhostOrigin(origin))

  return async (origin) => {
    if (origin === ownOrigin()) return true
    if (known !== undefined && performance.now() - known.readAt < trustFor && has(known, origin)) return true
    // Many at once ask the database once.
    reading ??= read().finally(() => {
      reading = undefined
    })
    return has(await reading, origin)
  }
}
