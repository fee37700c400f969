import { sql } from 'kysely'
import type { Db } from '../storage/index.ts'

/** A budget: at most `limit` in a window of `windowMs`, counted from the first use. */
export interface Budget {
  readonly purpose: string
  readonly limit: number
  readonly windowMs: number
}

export type Spent =
  | { readonly allowed: true; readonly left: number; readonly resetsAt: number }
  | { readonly allowed: false; readonly left: 0; readonly resetsAt: number }

/**
 * Charges a budget once. One conditional statement decides, inside the caller's transaction, so that of many parallel
 * callers no more than the limit get through, on any number of nodes.
 */
export async function spend(db: Db, budget: Budget, subject: string, now: number): Promise<Spent> {
  const key = keyOf(budget, subject)
  const expiresAt = now + budget.windowMs
  const { rows } = await sql<{ used: number; expires_at: number }>`
    insert into budgets (key, used, expires_at) values (${key}, 1, ${expiresAt})
    on conflict (key) do update set
      used = case when budgets.expires_at <= ${now} then 1 else budgets.used + 1 end,
      expires_at = case when budgets.expires_at <= ${now} then excluded.expires_at else budgets.expires_at end
    where budgets.expires_at <= ${now} or budgets.used < ${budget.limit}
    returning used, expires_at`.execute(db)
  const row = rows[0]
  if (row !== undefined) return { allowed: true, left: budget.limit - row.used, resetsAt: row.expires_at }
  const spent = await db.selectFrom('budgets').select('expires_at').where('key', '=', key).executeTakeFirst()
  return { allowed: false, left: 0, resetsAt: spent?.expires_at ?? expiresAt }
}

/** How much of a budget has been used in the present window, without charging it. */
export async function usedOf(db: Db, budget: Budget, subject: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('budgets')
    .select('used')
    .where('key', '=', keyOf(budget, subject))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row?.used ?? 0
}

/** Gives one use back: what was charged turned out to be free. */
export async function refund(db: Db, budget: Budget, subject: string): Promise<void> {
  await sql`update budgets set used = used - 1 where key = ${keyOf(budget, subject)} and used > 0`.execute(db)
}

/** Forgets what was used: after a success. */
export async function clearBudget(db: Db, budget: Budget, subject: string): Promise<void> {
  await db.deleteFrom('budgets').where('key', '=', keyOf(budget, subject)).execute()
}

const keyOf = (budget: Budget, subject: string): string => `${budget.purpose}:${subject}`
