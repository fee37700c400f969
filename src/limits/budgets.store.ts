import { type Db, type Row, run, slots } from '../storage/index.ts'

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

/** What has been used of each budget, without charging it; in the order asked for. One statement. */
export async function peek(db: Db, uses: readonly Use[], now: number): Promise<readonly Used[]> {
  const keys = uses.map(keyOf)
  const text = `select key, used, expires_at from budgets where expires_at > $1 and key in (${slots(keys, 2)})`
  const rows = await run<Row<'budgets'>>(db, text, [now, ...keys])
  return uses.map(({ budget }, index) => {
    const row = rows.find(({ key }) => key === keys[index])
    return { used: row?.used ?? 0, resetsAt: row?.expires_at ?? now + budget.windowMs }
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

const keyOf = ({ budget, subject }: Use): string => `${budget.purpose}:${subject}`
