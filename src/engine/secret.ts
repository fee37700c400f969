import { setImmediate as nextCycle } from 'node:timers/promises'
import { type Clock, type Logger, ProtocolError, type Secrets } from '../base/index.ts'
import { enrollmentsAfter, rehashEnrollment } from '../directory/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { resealSigningKeys } from '../oidc/index.ts'
import { promoteSecret, refuseMissingSecret, type Storage } from '../storage/index.ts'

interface Parts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly log: Logger
}

/**
 * Makes the first configured secret the current one of the database, and seals the signing keys with it. From now on a
 * node without it is not ready, and answers 503 where it would need it.
 */
export async function promoteFirstSecret({ storage, secrets, log }: Parts): Promise<void> {
  if (await promoteSecret(storage, secrets)) {
    log.info(
      { secretId: secrets.version },
      'the first secret of REKEY_SECRET is the current one from now on: every node needs it',
    )
  }
  await resealSigningKeys(storage, secrets)
}

/** For readiness: `wrong` where the current secret of the database is not among those of this node. */
export const secretCheck =
  ({ storage, secrets }: Pick<Parts, 'storage' | 'secrets'>) =>
  async (): Promise<string> => {
    try {
      await refuseMissingSecret(storage.db, secrets)
      return 'ok'
    } catch (error) {
      // An error of the database has a cause, and says nothing of the secret.
      if (error instanceof ProtocolError && error.cause === undefined) return 'wrong'
      throw error
    }
  }

const batchSize = 200

export interface Resealing {
  close(): Promise<void>
}

/**
 * Seals the enrollments anew with the current secret, once after a start with several secrets, so that the older ones can
 * be removed. Runs beside the requests, in batches; an enrollment that changes meanwhile stays as it is changed.
 */
export function startResealing(
  core: Parts & {
    readonly clock: Clock
    readonly authenticators: ReadonlyMap<string, Authenticator>
  },
): Resealing {
  const { secrets, log } = core
  let closed = false
  const running = secrets.versions.length < 2 ? Promise.resolve() : resealEnrollments(core, () => closed)
  const done = running.catch((error) =>
    log.error(
      { err: error },
      'not all enrollments could be sealed with the current secret: the next start goes on',
    ),
  )
  return {
    async close() {
      closed = true
      await done
    },
  }
}

/** Answers after all enrollments were seen, or `stops` became true. */
async function resealEnrollments(
  { storage, secrets, clock, authenticators }: Parameters<typeof startResealing>[0],
  stops: () => boolean,
): Promise<void> {
  for (const { key, reseal } of authenticators.values()) {
    if (reseal === undefined) continue
    let after = ''
    while (!stops()) {
      const batch = await enrollmentsAfter(storage.db, key, { after, limit: batchSize })
      for (const { id, data: before, stored } of batch) {
        const data = reseal(before, secrets)
        if (data !== undefined) await rehashEnrollment(storage.db, { id, from: stored, data }, clock.now())
      }
      const last = batch.at(-1)
      if (last === undefined || batch.length < batchSize) break
      after = last.id
      await nextCycle()
    }
  }
}
