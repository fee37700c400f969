import { type Db, insert, type Row, run, slots } from '../storage/index.ts'

/** A change that a user has asked for, and that waits: for a code, or for the time in which it can be stopped. */
export interface AccountChange {
  readonly id: string
  readonly personId: string
  readonly kind: AccountChangeKind
  readonly status: 'UNVERIFIED' | 'WAITING' | 'STOPPED' | 'DONE'
  readonly data: AccountChangeData
  readonly challengeId: string | undefined
  /** Until when the code that was sent is good; undefined: none was sent. */
  readonly codeEndsAt: number | undefined
  readonly createdAt: number
  readonly dueAt: number | undefined
}

export type AccountChangeKind = 'email' | 'secondEmail' | 'enrollment.remove'

export interface AccountChangeData {
  /** Of addresses. */
  readonly email?: string
  /** What the app gets back with the code. */
  readonly state?: string
  /** Of what is removed. */
  readonly enrollmentId?: string
  readonly authenticator?: string
  /** When it was enrolled: another one under the same id is another one. */
  readonly enrolledAt?: number
  /** What the user was when it was asked for: where that differs later, nothing is carried out. */
  readonly before: {
    readonly email: string
    /** The version of the password: it counts those that were set. */
    readonly password: number | null
  }
}

const toChange = (row: Row<'account_changes'>): AccountChange => ({
  id: row.id,
  personId: row.person_id,
  kind: row.kind as AccountChangeKind,
  status: row.status as AccountChange['status'],
  data: JSON.parse(row.data) as AccountChangeData,
  challengeId: row.challenge_id ?? undefined,
  codeEndsAt: row.code_ends_at === null ? undefined : Number(row.code_ends_at),
  createdAt: Number(row.created_at),
  dueAt: row.due_at === null ? undefined : Number(row.due_at),
})

/**
 * Writes a change, in place of an earlier one about the same that is over or was never confirmed. Undefined: one about the
 * same waits already.
 */
export async function putChange(
  db: Db,
  change: Pick<AccountChange, 'id' | 'personId' | 'kind' | 'data' | 'createdAt'> & {
    readonly status: 'UNVERIFIED' | 'WAITING'
    readonly targetKey: string
    readonly dueAt?: number
    readonly stopHash?: string
    readonly expiresAt: number
  },
): Promise<AccountChange | undefined> {
  const [row] = await insert<'account_changes', Row<'account_changes'>>(
    db,
    'account_changes',
    [
      {
        id: change.id,
        person_id: change.personId,
        kind: change.kind,
        status: change.status,
        target_key: change.targetKey,
        data: JSON.stringify(change.data),
        challenge_id: null,
        code_hash: null,
        code_ends_at: null,
        attempts: 0,
        stop_hash: change.stopHash ?? null,
        created_at: change.createdAt,
        due_at: change.dueAt ?? null,
        expires_at: change.expiresAt,
      },
    ],
    `on conflict (person_id, kind, target_key) do update set
      id = excluded.id, status = excluded.status, data = excluded.data, challenge_id = null, code_hash = null,
      code_ends_at = null, attempts = 0, stop_hash = excluded.stop_hash, created_at = excluded.created_at,
      due_at = excluded.due_at, expires_at = excluded.expires_at
    where account_changes.status not in ('UNVERIFIED', 'WAITING') or account_changes.expires_at <= excluded.created_at
    returning *`,
  )
  return row && toChange(row)
}

/** The changes of a user that are open, the oldest first. */
export async function openChanges(db: Db, personId: string, now: number): Promise<readonly AccountChange[]> {
  const text = `select * from account_changes where person_id = $1 and status in ('UNVERIFIED', 'WAITING')
    and expires_at > $2 order by created_at, id`
  return (await run<Row<'account_changes'>>(db, text, [personId, now])).map(toChange)
}

/** A change of a user by the id of its challenge, whatever has become of it. */
export async function findChangeByChallenge(
  db: Db,
  { personId, challengeId }: { readonly personId: string; readonly challengeId: string },
): Promise<AccountChange | undefined> {
  const text = 'select * from account_changes where person_id = $1 and challenge_id = $2'
  const [row] = await run<Row<'account_changes'>>(db, text, [personId, challengeId])
  return row && toChange(row)
}

/** How many changes of a user are open. */
export async function countOpenChanges(db: Db, personId: string, now: number): Promise<number> {
  const text = `select count(*) as n from account_changes
    where person_id = $1 and status in ('UNVERIFIED', 'WAITING') and expires_at > $2`
  const [row] = await run<{ n: number | string }>(db, text, [personId, now])
  return Number(row?.n ?? 0)
}

/** Stores the code that was sent for a change, in place of the one before. */
export async function putChangeCode(
  db: Db,
  change: Pick<AccountChange, 'id' | 'personId'>,
  code: { readonly challengeId: string; readonly codeHash: string; readonly endsAt: number },
): Promise<boolean> {
  const text = `update account_changes set challenge_id = $1, code_hash = $2, code_ends_at = $3
    where id = $4 and person_id = $5 and status = 'UNVERIFIED' returning id`
  const values = [code.challengeId, code.codeHash, code.endsAt, change.id, change.personId]
  return (await run(db, text, values)).length > 0
}

/**
 * Counts a wrong code: how many there were is counted with the change, so that another code buys no guesses. Answers how many
 * are left.
 */
export async function countWrongCode(db: Db, id: string): Promise<void> {
  await run(db, 'update account_changes set attempts = attempts + 1 where id = $1', [id])
}

/** Uses a code up: one of any number of callers gets the change. Undefined: it is not the code, or not any more. */
export async function useChangeCode(
  db: Db,
  change: Pick<AccountChange, 'id' | 'personId'>,
  code: { readonly challengeId: string; readonly hashes: readonly string[] },
  { now, mostWrong }: { readonly now: number; readonly mostWrong: number },
): Promise<AccountChange | undefined> {
  const text = `update account_changes set code_hash = null, code_ends_at = null
    where id = $1 and person_id = $2 and status = 'UNVERIFIED' and challenge_id = $3 and code_ends_at > $4
      and attempts < $5 and code_hash in (${slots(code.hashes, 6)}) returning *`
  const values = [change.id, change.personId, code.challengeId, now, mostWrong, ...code.hashes]
  const [row] = await run<Row<'account_changes'>>(db, text, values)
  return row && toChange(row)
}

/** Has a confirmed change wait for its time. */
export async function letChangeWait(
  db: Db,
  id: string,
  wait: { readonly dueAt: number; readonly stopHash: string; readonly expiresAt: number },
): Promise<void> {
  const text = `update account_changes set status = 'WAITING', due_at = $1, stop_hash = $2, expires_at = $3
    where id = $4 and status = 'UNVERIFIED'`
  await run(db, text, [wait.dueAt, wait.stopHash, wait.expiresAt, id])
}

/** Ends a change that is open; of several callers one gets true. */
export async function endChange(
  db: Db,
  id: string,
  end: {
    readonly from: AccountChange['status']
    readonly to: 'STOPPED' | 'DONE'
    /** Only where its time has come by then. */
    readonly dueBy?: number
    readonly expiresAt: number
  },
): Promise<boolean> {
  const due = end.dueBy === undefined ? '' : 'and due_at <= $5'
  const text = `update account_changes set status = $1, code_hash = null, expires_at = $2
    where id = $3 and status = $4 ${due} returning id`
  const values = [end.to, end.expiresAt, id, end.from, ...(end.dueBy === undefined ? [] : [end.dueBy])]
  return (await run(db, text, values)).length > 0
}

/** The changes whose time has come; of one user, or of all, the oldest first. */
export async function dueChanges(
  db: Db,
  { now, limit, personId }: { readonly now: number; readonly limit: number; readonly personId?: string },
): Promise<readonly AccountChange[]> {
  const ofUser = personId === undefined ? '' : 'and person_id = $3'
  const text = `select * from account_changes where status = 'WAITING' and due_at <= $1 ${ofUser}
    order by due_at limit $2`
  const values = [now, limit, ...(personId === undefined ? [] : [personId])]
  return (await run<Row<'account_changes'>>(db, text, values)).map(toChange)
}

/** The change that a link stops, whatever has become of it. */
export async function findChangeByStop(db: Db, stopHash: string): Promise<AccountChange | undefined> {
  const [row] = await run<Row<'account_changes'>>(db, 'select * from account_changes where stop_hash = $1', [
    stopHash,
  ])
  return row && toChange(row)
}

/** Removes a change that was not confirmed; false where there is none. */
export async function dropChange(
  db: Db,
  { id, personId }: Pick<AccountChange, 'id' | 'personId'>,
): Promise<boolean> {
  const text = `delete from account_changes where id = $1 and person_id = $2 and status in ('UNVERIFIED', 'WAITING')
    returning id`
  return (await run(db, text, [id, personId])).length > 0
}
