import { type Db, run, slots } from '../storage/index.ts'

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

// PostgreSQL must be told the type of a parameter that is both stored and added.
const spendText = `
  insert into budgets (key, used, expires_at) values ($1, cast($2 as integer), cast($3 as bigint))
  on conflict (key) do update set
    used = case when budgets.expires_at <= $4 then excluded.used else budgets.used + excluded.used end,
    expires_at = case
      when budgets.expires_at <= $4 or cast($6 as integer) = 1 then excluded.expires_at
      else budgets.expires_at end
  where budgets.expires_at <= $4 or budgets.used < $5
  returning used, expires_at`

/**
 * Charges a budget once, or, where the use is free, sees whether there is room for one and takes none. One conditional
 * statement decides, inside the caller's transaction, so that of many parallel callers no more than the limit get
 * through, on any number of nodes.
 */
export async function spend(
  db: Db,
  budget: Budget,
  subject: string,
  now: number,
  options: { readonly free?: boolean | undefined } = {},
): Promise<Spent> {
  const key = keyOf(budget, subject)
  const expiresAt = now + budget.windowMs
  // The first use of a window is not asked below how many there may be.
  if (budget.limit < 1) return { allowed: false, left: 0, resetsAt: expiresAt }
  const charge = options.free ? 0 : 1
  const parameters = [key, charge, expiresAt, now, budget.limit, budget.renewed ? charge : 0]
  const [row] = await run<{ used: number; expires_at: number }>(db, spendText, parameters)
  if (row !== undefined) return { allowed: true, left: budget.limit - row.used, resetsAt: row.expires_at }
  const spent = await db.selectFrom('budgets').select('expires_at').where('key', '=', key).executeTakeFirst()
  return { allowed: false, left: 0, resetsAt: spent?.expires_at ?? expiresAt }
}

/** A budget and whose it is. */
export interface Use {
  readonly budget: Budget
  readonly subject: string
}

/** How much of each budget has been used in its present window, without charging it; in the order asked for. */
export async function usedOf(db: Db, uses: readonly Use[], now: number): Promise<readonly number[]> {
  const keys = uses.map(({ budget, subject }) => keyOf(budget, subject))
  const text = `select key, used from budgets where expires_at > $1 and key in (${slots(keys, 2)})`
  const rows = await run<{ key: string; used: number }>(db, text, [now, ...keys])
  return keys.map((key) => rows.find((row) => row.key === key)?.used ?? 0)
}

/** Forgets what was used: after a success. */
export async function clearBudgets(db: Db, uses: readonly Use[]): Promise<void> {
  const keys = uses.map(({ budget, subject }) => keyOf(budget, subject))
  await run(db, `delete from budgets where key in (${slots(keys, 1)})`, keys)
}

const keyOf = (budget: Budget, subject: string): string => `${budget.purpose}:${subject}`
