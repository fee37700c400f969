import type { Db } from '../storage/index.ts'

/** An answer that showed the id of an error to a user. Nothing in it is of that user. */
export interface RecordedFailure {
  /** The letters that the ids of the request (`req…`) and of the error (`oae…`) have in common. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly method: string
  /** The route's pattern. */
  readonly route: string
  readonly status: number
  /** The public code of the error. */
  readonly code: string
  /** What was behind an error of the engine: its class, and SQLSTATE or errno. */
  readonly cause?: string
  readonly traceId?: string
  readonly transactionId?: string
}

export interface FailureLog {
  record(failure: RecordedFailure): void
  /** Writes what was recorded since the last time. Rejects where the database is unavailable; nothing is lost then. */
  flush(): Promise<void>
}

/**
 * The latest failures of a node: errors of the engine, pages that were shown to users (dead links), and refusals, each
 * with room of its own. Anyone can cause refusals of two hundred kinds: they must not push out what a user was shown (A60).
 */
const mostFailures = { error: 200, page: 100, refusal: 200 }
/** How many of them may be of one kind, so that a flood leaves the others. */
const mostOfKind = { error: 40, page: 100, refusal: 40 }

const roomOf = ({ status }: RecordedFailure): keyof typeof mostFailures => {
  if (status >= 500) return 'error'
  return status >= 400 ? 'refusal' : 'page'
}

/** How long the failures of a node that has ended stay, in milliseconds. */
export const failureRetentionMs = 24 * 3_600_000

/**
 * The keys of all nodes: ids of nodes begin with `nod`. Both ends are letters, so that the range is the same in every
 * collation, and an index answers it.
 */
const prefix = 'failures'
const range = [`${prefix}nod`, `${prefix}noe`] as const

/** The letters that all ids of one request have in common. */
const common = (id: string): string => id.slice(-17)

/**
 * Remembers the latest failures of this node, and writes them into one row of the database: `rekey trace` finds them from
 * any machine. They are no events, since anyone can cause them: memory and disk are bounded, whatever is sent (A60).
 */
export function createFailureLog(db: Db, node: string): FailureLog {
  let failures: RecordedFailure[] = []
  let isWritten = true
  const kindOf = ({ status, code, route }: RecordedFailure): string => `${status} ${code} ${route}`
  return {
    record(failure) {
      isWritten = false
      failures.push({ ...failure, id: common(failure.id) })
      const kind = kindOf(failure)
      const room = roomOf(failure)
      const all = failures.filter((one) => roomOf(one) === room)
      const same = all.filter((one) => kindOf(one) === kind)
      const [oldest] = same.length > mostOfKind[room] ? same : all
      if (same.length > mostOfKind[room] || all.length > mostFailures[room])
        failures = failures.filter((one) => one !== oldest)
    },
    async flush() {
      if (isWritten) return
      isWritten = true
      const value = JSON.stringify({ at: failures.at(-1)?.at ?? 0, failures })
      try {
        await db
          .insertInto('settings')
          .values({ key: prefix + node, value })
          .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
          .execute()
      } catch (error) {
        isWritten = false
        throw error
      }
    },
  }
}

interface NodeFailures {
  readonly key: string
  readonly at: number
  readonly failures: readonly RecordedFailure[]
}

async function readFailures(db: Db): Promise<readonly NodeFailures[]> {
  const rows = await db
    .selectFrom('settings')
    .selectAll()
    .where('key', '>=', range[0])
    .where('key', '<', range[1])
    .execute()
  return rows.map(({ key, value }) => ({ key, ...(JSON.parse(value) as Omit<NodeFailures, 'key'>) }))
}

/** The failure with an id of a request or of an error; undefined where no node has recorded it, or not any more. */
export async function findFailure(db: Db, id: string): Promise<RecordedFailure | undefined> {
  const all = (await readFailures(db)).flatMap(({ failures }) => failures)
  return all.find((failure) => failure.id === common(id))
}

/** The failures of all nodes in a span of time, oldest first. */
export async function listFailures(
  db: Db,
  since: number,
  until: number,
): Promise<readonly RecordedFailure[]> {
  const all = (await readFailures(db)).flatMap(({ failures }) => failures)
  return all.filter(({ at }) => at >= since && at <= until).sort((one, other) => one.at - other.at)
}

/** Deletes the failures of nodes that have recorded none for a day. */
export async function purgeFailures(db: Db, now: number): Promise<void> {
  for (const { key, at } of await readFailures(db)) {
    if (at < now - failureRetentionMs) await db.deleteFrom('settings').where('key', '=', key).execute()
  }
}
