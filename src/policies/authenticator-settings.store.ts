import type { Db } from '../storage/index.ts'

/** What a kind of proof may be used for. */
export type AllowedFor = 'any' | 'recovery' | 'sso' | 'none'

/** How an authenticator is set up for all people, in the management API's words. */
export interface AuthenticatorSetup {
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly settings: {
    readonly allowedFor?: AllowedFor
    readonly tokenLifetimeInMinutes?: number
    readonly [name: string]: unknown
  }
  /** Epoch milliseconds; 0: as it was from the beginning. */
  readonly updatedAt: number
}

const asItCame: AuthenticatorSetup = { status: 'ACTIVE', settings: {}, updatedAt: 0 }
const rowKey = (key: string): string => `authenticator.${key}`

/** How each of these authenticators is set up. */
export async function authenticatorSetups(
  db: Db,
  keys: readonly string[],
): Promise<Readonly<Record<string, AuthenticatorSetup>>> {
  const rows = await db.selectFrom('settings').selectAll().where('key', 'in', keys.map(rowKey)).execute()
  return Object.fromEntries(
    keys.map((key) => {
      const row = rows.find((one) => one.key === rowKey(key))
      return [key, row === undefined ? asItCame : (JSON.parse(row.value) as AuthenticatorSetup)]
    }),
  )
}

export async function putAuthenticatorSetup(db: Db, key: string, setup: AuthenticatorSetup): Promise<void> {
  const value = JSON.stringify(setup)
  await db
    .insertInto('settings')
    .values({ key: rowKey(key), value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/** Whether an authenticator may be used for signing in, or for a recovery. */
export const isAllowedFor = (
  { status, settings }: AuthenticatorSetup,
  use: Exclude<AllowedFor, 'any' | 'none'>,
): boolean => status === 'ACTIVE' && ['any', use].includes(settings.allowedFor ?? 'any')
