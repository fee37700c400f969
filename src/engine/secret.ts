import { setImmediate as nextCycle } from 'node:timers/promises'
import { type Clock, type Logger, ProtocolError, type Secrets } from '../base/index.ts'
import {
  enrollmentsAfter,
  pendingFactorsAfter,
  rehashEnrollment,
  rewritePendingFactor,
} from '../directory/index.ts'
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
 * Seals the enrollments, and those that wait to be confirmed, anew with the current secret, once after a start with several secrets, so
 * that the older ones can be removed. Runs beside the requests, in batches; an enrollment that changes meanwhile stays as it is changed.
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
    const { db } = storage
    await inBatches(
      stops,
      (from) => enrollmentsAfter(db, key, from),
      async ({ id, data: before, stored }) => {
        const data = reseal(before, secrets)
        if (data !== undefined) await rehashEnrollment(db, { id, from: stored, data }, clock.now())
      },
    )
    // One that was begun is good for a day: who confirms it after the older secret has gone would be answered 503.
    await inBatches(
      stops,
      (from) => pendingFactorsAfter(db, key, from),
      async ({ id, data: before, stored }) => {
        const enrolled = reseal(before.enrolled, secrets)
        if (enrolled === undefined) return
        await rewritePendingFactor(db, { id, from: stored, data: { ...before, enrolled } })
      },
    )
  }
}

/** Calls `each` with all rows, a batch at a time, until `stops` is true. */
async function inBatches<Stored extends { readonly id: string }>(
  stops: () => boolean,
  read: (from: { readonly after: string; readonly limit: number }) => Promise<readonly Stored[]>,
  each: (row: Stored) => Promise<void>,
): Promise<void> {
  let after = ''
  while (!stops()) {
    const batch = await read({ after, limit: batchSize })
    for (const row of batch) await each(row)
    const last = batch.at(-1)
    if (last === undefined || batch.length < batchSize) return
    after = last.id
    await nextCycle()
  }
}
