import type { Db } from '../storage/index.ts'

/** What an authenticator may be used for, as in Okta's authenticator settings. */
export type AllowedFor = 'any' | 'recovery' | 'sso' | 'none'

/** The settings of an authenticator for all users, named as in the management API. */
export interface AuthenticatorSetup {
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly settings: {
    readonly allowedFor?: AllowedFor
    readonly tokenLifetimeInMinutes?: number
    readonly [name: string]: unknown
  }
  /** Epoch milliseconds; 0: never changed. */
  readonly updatedAt: number
}

const defaultSetup: AuthenticatorSetup = { status: 'ACTIVE', settings: {}, updatedAt: 0 }
const rowKey = (key: string): string => `authenticator.${key}`

/** The settings of these authenticators; the default where none are stored. */
export async function authenticatorSetups(
  db: Db,
  keys: readonly string[],
): Promise<Readonly<Record<string, AuthenticatorSetup>>> {
  const rows = await db.selectFrom('settings').selectAll().where('key', 'in', keys.map(rowKey)).execute()
  return Object.fromEntries(
    keys.map((key) => {
      const row = rows.find((one) => one.key === rowKey(key))
      return [key, row === undefined ? defaultSetup : (JSON.parse(row.value) as AuthenticatorSetup)]
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

/** Whether an authenticator may be used for a sign-in or a recovery. */
export const isAllowedFor = (
  { status, settings }: AuthenticatorSetup,
  use: Exclude<AllowedFor, 'any' | 'none'>,
): boolean => status === 'ACTIVE' && ['any', use].includes(settings.allowedFor ?? 'any')
