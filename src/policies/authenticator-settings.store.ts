import type { Db } from '../storage/index.ts'
import type { AuthenticatorFacts } from './demand.ts'

/** What an authenticator may be used for. */
export type AllowedFor = 'any' | 'recovery' | 'sso' | 'none'

/** The settings of an authenticator for all users, named as in the management API. */
export interface AuthenticatorSetup {
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly settings: {
    readonly allowedFor?: AllowedFor
    readonly tokenLifetimeInMinutes?: number
    /** The methods that are switched off; all others are on. */
    readonly inactiveMethods?: readonly string[]
    readonly [name: string]: unknown
  }
  /** Epoch milliseconds; 0: never changed. */
  readonly updatedAt: number
}

const rowKey = (key: string): string => `authenticator.${key}`

/** How each of these authenticators is set up; one that was never set up has its defaults. */
export async function authenticatorSetups(
  db: Db,
  catalogue: readonly Pick<AuthenticatorFacts, 'key' | 'initialStatus'>[],
): Promise<Readonly<Record<string, AuthenticatorSetup>>> {
  const names = catalogue.map(({ key }) => rowKey(key))
  const rows = await db.selectFrom('settings').selectAll().where('key', 'in', names).execute()
  return Object.fromEntries(
    catalogue.map(({ key, initialStatus: status }) => {
      const row = rows.find((one) => one.key === rowKey(key))
      const initial: AuthenticatorSetup = { status, settings: {}, updatedAt: 0 }
      return [key, row === undefined ? initial : (JSON.parse(row.value) as AuthenticatorSetup)]
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

/** The methods of an authenticator that an administrator has switched off. */
export const methodsOffIn = ({ settings: { inactiveMethods } }: AuthenticatorSetup): readonly string[] =>
  inactiveMethods ?? []
