import { type Db, locksRows, type Row, run, slots } from '../storage/index.ts'

/** A budget: at most `limit` in a window of `windowMs`, which begins with its first use. */
export interface Budget {
  readonly purpose: string
  readonly limit: number
  readonly windowMs: number
  /**
   * Each use begins the window anew, so that no span of that length, wherever it begins, holds more than `limit`: of
   * windows that begin with their first use two may touch, and a span over both holds twice as many.
   */
  readonly renewed?: boolean
  /**
   * Counted in so many rows, whose sum counts: for what all requests of an installation share. One row would be locked
   * by each of them until it commits. No single use is refused by such a budget; who reads it decides what follows.
   */
  readonly shards?: number
}

export type Spent =
  | { readonly allowed: true; readonly left: number; readonly resetsAt: number }
  | { readonly allowed: false; readonly left: 0; readonly resetsAt: number }

const spendText = `
  insert into budgets (key, used, expires_at) values ($1, 1, $2)
  on conflict (key) do update set
    used = case when budgets.expires_at <= $3 then 1 else budgets.used + 1 end,
    expires_at = case
      when budgets.expires_at <= $3 or cast($5 as integer) = 1 then excluded.expires_at
      else budgets.expires_at end
  where budgets.expires_at <= $3 or budgets.used < $4
  returning used, expires_at`

/**
 * Charges a budget once. One conditional statement decides, inside the caller's transaction, so that of many parallel
 * callers no more than the limit get through, on any number of nodes.
 */
export async function spend(db: Db, budget: Budget, subject: string, now: number): Promise<Spent> {
  if (budget.shards !== undefined) return addToShard(db, budget, subject, now)
  const key = keyOf({ budget, subject })
  const expiresAt = now + budget.windowMs
  // The first use of a window is not asked below how many there may be.
  if (budget.limit < 1) return refused(expiresAt)
  const parameters = [key, expiresAt, now, budget.limit, budget.renewed ? 1 : 0]
  const [row] = await run<Counted>(db, spendText, parameters)
  if (row !== undefined) return allowed(budget.limit - row.used, row.expires_at)
  const spent = await db.selectFrom('budgets').select('expires_at').where('key', '=', key).executeTakeFirst()
  return refused(spent?.expires_at ?? expiresAt)
}

/**
 * Charges budgets in their order until one is used up: what comes after that one is not charged, and is missing in the answer. On
 * PostgreSQL one statement does, in which each is charged only where the one before was.
 */
export async function spendInOrder(db: Db, uses: readonly Use[], now: number): Promise<readonly Spent[]> {
  if (uses.length > 1 && locksRows(db) && uses.every(isPlain)) return spendTogether(db, uses, now)
  const spent: Spent[] = []
  for (const { budget, subject } of uses) {
    const one = await spend(db, budget, subject, now)
    spent.push(one)
    if (!one.allowed) break
  }
  return spent
}

/** Whether it is counted in one row, which no other of the same statement is. */
const isPlain = (use: Use, at: number, uses: readonly Use[]): boolean =>
  use.budget.shards === undefined &&
  use.budget.limit >= 1 &&
  uses.findIndex((other) => keyOf(other) === keyOf(use)) === at

const orderedTexts = new Map<number, string>()

async function spendTogether(db: Db, uses: readonly Use[], now: number): Promise<readonly Spent[]> {
  const text = orderedTexts.get(uses.length) ?? orderedText(uses.length)
  orderedTexts.set(uses.length, text)
  const parameters = uses.flatMap((use) => [
    keyOf(use),
    now + use.budget.windowMs,
    use.budget.limit,
    use.budget.renewed ? 1 : 0,
  ])
  const rows = await run<Counted & { readonly place: number }>(db, text, [now, ...parameters])
  const spent: Spent[] = []
  for (const [place, { budget, subject }] of uses.entries()) {
    const row = rows.find((one) => one.place === place)
    if (row === undefined) return [...spent, await spend(db, budget, subject, now)]
    spent.push(allowed(budget.limit - row.used, row.expires_at))
  }
  return spent
}

function orderedText(count: number): string {
  const places = Array.from({ length: count }, (_, place) => place)
  const parts = places.map((place) => {
    const [key, end, limit, renewed] = [2, 3, 4, 5].map((first) => `$${first + place * 4}`)
    const before = place === 0 ? '' : `where exists (select 1 from b${place - 1})`
    return `b${place} as (
      insert into budgets (key, used, expires_at)
      select cast(${key} as text), 1, cast(${end} as bigint) ${before}
      on conflict (key) do update set
        used = case when budgets.expires_at <= $1 then 1 else budgets.used + 1 end,
        expires_at = case
          when budgets.expires_at <= $1 or cast(${renewed} as integer) = 1 then excluded.expires_at
          else budgets.expires_at end
      where budgets.expires_at <= $1 or budgets.used < ${limit}
      returning used, expires_at)`
  })
  const answers = places.map((place) => `select ${place} as place, used, expires_at from b${place}`)
  return `with ${parts.join(', ')} ${answers.join(' union all ')}`
}

/**
 * Takes back a use of a budget without shards that `spend` allowed: for what is charged before it is known whether it counts.
 * No-op once the window has ended.
 */
export async function giveBack(db: Db, budget: Budget, subject: string, now: number): Promise<void> {
  const text = 'update budgets set used = used - 1 where key = $1 and used > 0 and expires_at > $2'
  await run(db, text, [keyOf({ budget, subject }), now])
}

let lastShard = process.pid

/** Counts one use in the next of the rows of a sharded budget. What is left, by all rows, is not known here. */
async function addToShard(db: Db, budget: Budget, subject: string, now: number): Promise<Spent> {
  lastShard = (lastShard + 1) % (budget.shards ?? 1)
  const key = shardKey({ budget, subject }, lastShard)
  const parameters = [key, now + budget.windowMs, now, mostUses, budget.renewed ? 1 : 0]
  const [row] = await run<Counted>(db, spendText, parameters)
  return allowed(budget.limit, row?.expires_at ?? now + budget.windowMs)
}

type Counted = Pick<Row<'budgets'>, 'used' | 'expires_at'>

const allowed = (left: number, resetsAt: number): Spent => ({ allowed: true, left, resetsAt })
const refused = (resetsAt: number): Spent => ({ allowed: false, left: 0, resetsAt })

/** A budget and whose it is. */
export interface Use {
  readonly budget: Budget
  readonly subject: string
}

/**
 * Whether each budget has room for one more use, which is not taken; in the order asked for. Another request that
 * charges one of them waits for the caller's transaction to end, so the answer holds until then.
 */
export async function roomIn(db: Db, uses: readonly Use[], now: number): Promise<readonly Spent[]> {
  if (uses.length === 0) return []
  const ends = new Map(uses.map((use) => [keyOf(use), now + use.budget.windowMs]))
  const rows = [...ends].map((_, index) => `($${index * 2 + 2}, 0, $${index * 2 + 3})`)
  const text = `
    insert into budgets (key, used, expires_at) values ${rows.join(', ')}
    on conflict (key) do update set
      used = case when budgets.expires_at <= $1 then 0 else budgets.used end,
      expires_at = case when budgets.expires_at <= $1 then excluded.expires_at else budgets.expires_at end
    returning key, used, expires_at`
  const held = await run<Row<'budgets'>>(db, text, [now, ...[...ends].flat()])
  return uses.map((use) => {
    const { used, expires_at: resetsAt } = held.find(({ key }) => key === keyOf(use)) ?? missing(use)
    return used < use.budget.limit ? allowed(use.budget.limit - used, resetsAt) : refused(resetsAt)
  })
}

function missing(use: Use): never {
  throw new Error(`the budget ${use.budget.purpose} was not answered`)
}

/** What has been used of a budget in its present window, and when that ends. */
export interface Used {
  readonly used: number
  readonly resetsAt: number
}

/**
 * What has been used of each budget, without charging it; in the order asked for. One statement, which waits for no other
 * request. The answer is that of the moment, unless the caller holds a lock that everyone who charges the same budgets
 * takes first: the user's row for the budgets of an account.
 */
export async function peek(db: Db, uses: readonly Use[], now: number): Promise<readonly Used[]> {
  if (uses.length === 0) return []
  const keys = uses.map(keysOf)
  const all = keys.flat()
  const text = `select key, used, expires_at from budgets where expires_at > $1 and key in (${slots(all, 2)})`
  const rows = new Map((await run<Row<'budgets'>>(db, text, [now, ...all])).map((row) => [row.key, row]))
  return uses.map(({ budget }, index) => {
    const found = (keys[index] ?? []).flatMap((key) => rows.get(key) ?? [])
    return {
      used: found.reduce((sum, { used }) => sum + used, 0),
      resetsAt: found.reduce((end, row) => Math.max(end, row.expires_at), 0) || now + budget.windowMs,
    }
  })
}

/** How much of each budget has been used in its present window, without charging it; in the order asked for. */
export const usedOf = async (db: Db, uses: readonly Use[], now: number): Promise<readonly number[]> =>
  (await peek(db, uses, now)).map(({ used }) => used)

/** The most that a single source has used: of all whose subject begins with one of these and a blank; in the order asked for. */
export const mostUsedBySource = async (
  db: Db,
  uses: readonly Use[],
  now: number,
): Promise<readonly number[]> => {
  const text = 'select coalesce(max(used), 0) as most from budgets where expires_at > $1 and key like $2'
  const found: number[] = []
  for (const use of uses) {
    const [row] = await run<{ most: number }>(db, text, [now, `${keyOf(use)} %`])
    found.push(Number(row?.most ?? 0))
  }
  return found
}

/** Forgets what single sources have used: everything whose subject begins with one of these and a blank. For administrators. */
export async function clearBySource(db: Db, uses: readonly Use[]): Promise<void> {
  for (const use of uses) await run(db, 'delete from budgets where key like $1', [`${keyOf(use)} %`])
}

/** Forgets what was used: after a success. */
export async function clearBudgets(db: Db, uses: readonly Use[]): Promise<void> {
  const keys = uses.map(keyOf)
  await run(db, `delete from budgets where key in (${slots(keys, 1)})`, keys)
}

/** What both databases count to. */
export const mostUses = 2 ** 31 - 1

const keyOf = ({ budget, subject }: Use): string => `${budget.purpose}:${subject}`

const shardKey = (use: Use, shard: number): string => `${keyOf(use)}#${shard}`

/** The rows of a budget. Nodes of an earlier version count in the one without a number. */
const keysOf = (use: Use): readonly string[] => [
  keyOf(use),
  ...Array.from({ length: use.budget.shards ?? 0 }, (_, shard) => shardKey(use, shard)),
]

/** Forgets everything that is counted for a subject, alone or by source. Reads all budgets: for administrators. */
export async function forgetBudgetsOf(db: Db, subject: string): Promise<void> {
  const pattern = `%:${subject.replace(/[\\%_]/g, '\\$&')}%`
  await run(db, `delete from budgets where key like $1 escape '\\'`, [pattern])
}
