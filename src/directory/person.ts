/** The statuses of Okta's user lifecycle. */
export const personStatuses = [
  'STAGED',
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
  'SUSPENDED',
  'DEPROVISIONED',
] as const
export type PersonStatus = (typeof personStatuses)[number]

/** A user's profile, named as in the management API. */
export interface Profile {
  readonly login: string
  readonly email: string
  readonly firstName?: string
  readonly lastName?: string
  readonly locale?: string
  readonly [attribute: string]: unknown
}

export interface Person {
  readonly id: string
  readonly status: PersonStatus
  readonly profile: Profile
  readonly createdAt: number
  readonly updatedAt: number
  readonly statusChangedAt: number
  readonly passwordChangedAt: number | null
  readonly lastLoginAt: number | null
  /**
   * Counts changes of a secret, the status, the login or the email. Neither a sign-in nor a re-hash of the same password
   * raises it: any number of right sign-ins at once succeed.
   */
  readonly version: number
  /** Keyed hashes of the sources and browsers that the user has signed in from lately, newest first. */
  readonly knownSources?: string
  /** The mailbox that the user has proven to read (`mailboxKey`), and when. `hasVerifiedEmail` says whether it is the email. */
  readonly verifiedEmail?: { readonly key: string; readonly at: number } | undefined
  /** When the user last set a password by a recovery: what was enrolled before proves the user afterwards (A76). */
  readonly recoveredAt?: number | undefined
  /**
   * When a sign-up made the user, as long as it has not ended, or has ended without a proven mailbox; undefined: otherwise. Who proves the
   * mailbox by another sign-up takes the place of a user whose sign-up has not ended, and who proves it later claims the account
   * of the other one (`isUnclaimed`).
   */
  readonly unfinishedAt?: number | undefined
  /** There is no row yet: the user that a sign-up will make. */
  readonly prospective?: true
  /** The same of a secondary address. `verifiedSecondEmail` says whether it is that of the profile. */
  readonly verifiedSecondEmail?: { readonly key: string; readonly at: number } | undefined
  /** The version of the terms that the user has agreed to last, and when. */
  readonly terms?: AgreedTerms | undefined
}

export interface AgreedTerms {
  readonly version: string
  /** Epoch milliseconds. */
  readonly at: number
}

export interface NewPerson {
  /** Absent: a new one. */
  readonly id?: string
  /** The groups besides Everyone; those that are not there any more are left out. */
  readonly groupIds?: readonly string[]
  /** A sign-up makes the user, and has not ended. */
  readonly unfinished?: true
  readonly profile: Profile
  readonly status?: PersonStatus
  /** The email counts as proven. For tests: only an answered mail proves one. */
  readonly emailVerified?: boolean | undefined
  readonly terms?: AgreedTerms | undefined
}

export interface PersonChanges {
  readonly profile?: Partial<Profile>
  readonly status?: PersonStatus
  readonly passwordChangedAt?: number
  readonly recoveredAt?: number
  /** An administrator changes the user. */
  readonly byAdministrator?: true
  readonly lastLoginAt?: number
  /** A secret other than the password was written, or removed, in the same transaction. */
  readonly secretChanged?: true
  /** The user has proven to read the mails of this address: it counts where it is the email, and not beside a `profile`. */
  readonly verifiedEmail?: string
  /** The same of the secondary address: it counts while it is that of the profile, also of a `profile` beside it. */
  readonly verifiedSecondEmail?: string
  readonly knownSources?: string
  readonly terms?: AgreedTerms
}

export interface Group {
  readonly id: string
  readonly type: 'BUILT_IN' | 'OKTA_GROUP'
  readonly name: string
}
