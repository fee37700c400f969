import { isLocalhostOrigin, listClients, listTrustedOrigins, originsOf } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'

interface Known {
  readonly origins: ReadonlySet<string>
  readonly localhost: boolean
  readonly readAt: number
}

/** How long an allowed origin is cached, in milliseconds. */
const cacheMs = 5000

/**
 * Returns the check whether browsers may call from an origin. Allowed are the origins of active clients' redirect URIs,
 * trusted origins, the engine's own, and any localhost if a client is registered so for development. An origin that is not
 * in the cache makes it read the database again, so that a new client works at once.
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
    if (known !== undefined && performance.now() - known.readAt < cacheMs && has(known, origin)) return true
    // Concurrent calls share one query.
    reading ??= read().finally(() => {
      reading = undefined
    })
    return has(await reading, origin)
  }
}
