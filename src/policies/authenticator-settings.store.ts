import type { Db } from '../storage/index.ts'
import type { AuthenticatorFacts } from './demand.ts'
import { secondaryEmailsKey } from './secondary-emails.store.ts'

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

type Catalogue = readonly Pick<AuthenticatorFacts, 'key' | 'initialStatus'>[]

/** How each of these authenticators is set up; one that was never set up has its defaults. */
export const authenticatorSetups = async (
  db: Db,
  catalogue: Catalogue,
): Promise<Readonly<Record<string, AuthenticatorSetup>>> => (await authenticatorsInUse(db, catalogue)).setups

/** The same, and whether some user has a verified secondary address, in one statement. */
export async function authenticatorsInUse(
  db: Db,
  catalogue: Catalogue,
): Promise<{
  readonly setups: Readonly<Record<string, AuthenticatorSetup>>
  readonly secondaryEmails: boolean
}> {
  const names = [...catalogue.map(({ key }) => rowKey(key)), secondaryEmailsKey]
  const rows = await db.selectFrom('settings').selectAll().where('key', 'in', names).execute()
  const setups = Object.fromEntries(
    catalogue.map(({ key, initialStatus: status }) => {
      const row = rows.find((one) => one.key === rowKey(key))
      const initial: AuthenticatorSetup = { status, settings: {}, updatedAt: 0 }
      return [key, row === undefined ? initial : (JSON.parse(row.value) as AuthenticatorSetup)]
    }),
  )
  return { setups, secondaryEmails: rows.some(({ key }) => key === secondaryEmailsKey) }
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
