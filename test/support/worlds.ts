import type { PersonStatus } from '../../src/directory/index.ts'
import type { Situation } from '../../src/flow/index.ts'
import type { PasswordRules, Policy, RegistrationPolicy } from '../../src/policies/index.ts'

/** What a password must be decides about no step. */
const anyRules: PasswordRules = {
  minLength: 12,
  minLowerCase: 0,
  minUpperCase: 0,
  minNumber: 0,
  minSymbol: 0,
  excludeUsername: true,
  excludeAttributes: [],
  excludeCommon: true,
  historyCount: 1,
  minAgeMinutes: 0,
  maxAgeDays: 0,
  expireWarnDays: 0,
}
/** The policy of a fresh installation. */
export const standard: Policy = {
  password: anyRules,
  recovery: {
    authenticators: ['okta_email'],
    methods: { okta_email: ['email'] },
    offerRevokeSessions: false,
    revealUnknown: false,
    signIn: true,
    secondFactor: 'if-enrolled',
    countsAsOneFactor: false,
    unlocks: true,
  },
  unlock: { authenticators: [], methods: {}, continues: false },
  methodsOff: {},
  lockout: { maxAttempts: 0, autoUnlockMinutes: 0 },
  signOn: {
    start: 'password',
    access: 'ALLOW',
    demand: { factors: 1, alternatives: [] },
    authenticators: ['okta_password', 'okta_email', 'google_otp'],
    active: ['okta_password', 'okta_email', 'google_otp'],
  },
  enrollment: [],
  codeLifetimes: {},
  secondaryEmails: false,
  authenticatorSettings: {},
}

/** A policy with some settings changed. */
export const policyWith = (
  changes: {
    readonly signOn?: Partial<Policy['signOn']>
    readonly recovery?: Partial<Policy['recovery']>
    readonly unlock?: Partial<Policy['unlock']>
    readonly lockout?: Policy['lockout']
    readonly enrollment?: Policy['enrollment']
    readonly password?: Partial<PasswordRules>
  },
  from: Policy = standard,
): Policy => ({
  ...from,
  password: { ...from.password, ...changes.password },
  signOn: { ...from.signOn, ...changes.signOn },
  recovery: { ...from.recovery, ...changes.recovery },
  unlock: { ...from.unlock, ...changes.unlock },
  lockout: changes.lockout ?? from.lockout,
  enrollment: changes.enrollment ?? from.enrollment,
})

export const twoFactors: Policy['signOn']['demand'] = { factors: 2, alternatives: [] }
const just = (type: string, factors: 1 | 2 = 1): Policy['signOn']['demand'] => ({
  factors,
  alternatives: [[{ types: [type], traits: [] }]],
})

/** Everything besides the progress that decides about steps. */
export interface World {
  /** The user's own policy. */
  readonly policy: Policy
  /** Everyone's, where it is another one. */
  readonly everyone?: Policy
  readonly user: {
    readonly status: PersonStatus
    /** Authenticators besides the password and the mailbox. */
    readonly has?: readonly string[]
    /** What proved the recovery in which the password was set. */
    readonly passwordSetBy?: string
  }
  readonly assigned: boolean
  /** The app has the method asked for before a mail leaves. */
  readonly asksMethod?: boolean
  /** Which sign-up the app has; absent: none. */
  readonly registration?: RegistrationPolicy
  /** The attributes that the user does not have and the app's policy requires. */
  readonly missing?: Situation['missing']
  /** Budgets that are used up, by their purpose. */
  readonly spent?: readonly string[]
}

const both = [true, false]
const starts = ['password', 'identifier'] as const
const app = ['google_otp']
const phone = ['example_phone']

/** Policies that differ in the settings of the configuration file. */
const common: readonly Policy[] = starts.flatMap((start) =>
  both.flatMap((oneFactor) =>
    both.flatMap((mayRecover) =>
      both.flatMap((oneProof) =>
        both.map((signIn) =>
          policyWith({
            signOn: { start, demand: { factors: oneFactor ? 1 : 2, alternatives: [] } },
            recovery: {
              authenticators: mayRecover ? ['okta_email'] : [],
              secondFactor: oneProof ? 'if-enrolled' : 'required',
              signIn,
            },
          }),
        ),
      ),
    ),
  ),
)

/** Users may open their own accounts. */
export const unlocking = policyWith({
  unlock: { authenticators: ['okta_email'], methods: { okta_email: ['email'] } },
})

const enrollments: readonly Policy['enrollment'][] = [
  [{ key: 'google_otp', required: true }],
  [{ key: 'google_otp', required: false }],
  [
    { key: 'google_otp', required: true },
    { key: 'example_phone', required: false },
  ],
]

/** Policies that administrators make over the management API. */
const managed: readonly Policy[] = starts.flatMap((start) => [
  policyWith({ signOn: { start, access: 'DENY' } }),
  policyWith({ signOn: { start, authenticators: ['okta_password'] } }),
  policyWith({ signOn: { start, demand: just('email') } }),
  policyWith({ signOn: { start, demand: just('password') } }),
  policyWith({ signOn: { start, demand: just('password', 2) } }),
  policyWith({ signOn: { start, demand: just('app') } }),
  policyWith({
    signOn: {
      start,
      demand: {
        factors: 1,
        alternatives: [
          [
            { types: ['password'], traits: [] },
            { types: ['app'], traits: [] },
          ],
          [{ types: ['email'], traits: [] }],
        ],
      },
    },
  }),
  policyWith({ signOn: { start, demand: twoFactors }, recovery: { countsAsOneFactor: true } }),
  ...enrollments.flatMap((enrollment) => [
    policyWith({ signOn: { start }, enrollment }),
    policyWith({
      signOn: { start, demand: twoFactors, authenticators: ['okta_password', ...app, ...phone] },
      enrollment,
    }),
  ]),
])

const active = { status: 'ACTIVE', has: [] } as const
export const worldOf = (
  policy: Policy,
  user: World['user'] = active,
  others: Partial<World> = {},
): World => ({
  policy,
  user,
  assigned: true,
  ...others,
})

const strict = policyWith({ signOn: { demand: twoFactors } })
const byName = policyWith({ signOn: { start: 'identifier' } })

const signUp: RegistrationPolicy = {
  policyId: 'rst1',
  access: 'ALLOW',
  unknownUserAction: 'REGISTER',
  isOpen: true,
  attributes: [{ name: 'email', label: 'Email', required: true }],
  emailVerification: true,
  passwordInForm: false,
  targetGroupIds: [],
  progressiveProfiling: false,
  byInvitation: false,
}
const optional = policyWith({ enrollment: [{ key: 'okta_password', required: false }] })

/** Visitors who make accounts: with a verified address and without, with the password in the form, and without a password. */
const signUps: readonly World[] = [
  worldOf(standard, active, { registration: signUp }),
  worldOf(optional, active, { registration: signUp }),
  worldOf(standard, active, { registration: { ...signUp, emailVerification: false } }),
  worldOf(standard, active, { registration: { ...signUp, passwordInForm: true } }),
  worldOf(standard, active, { registration: signUp, assigned: false }),
]

export const worlds: readonly World[] = [
  ...signUps,
  ...[...common, ...managed].flatMap((policy) => [
    worldOf(policy),
    worldOf(policy, { status: 'ACTIVE', has: app }),
  ]),
  // A user with a phone, of which it must be said how it is used.
  ...[standard, strict, byName].map((policy) =>
    worldOf(policyWith({ signOn: { authenticators: [...policy.signOn.authenticators, ...phone] } }, policy), {
      status: 'ACTIVE',
      has: phone,
    }),
  ),
  ...[standard, strict, byName].flatMap((policy) => [
    ...(['PASSWORD_EXPIRED', 'SUSPENDED', 'LOCKED_OUT'] as const).flatMap((status) => [
      worldOf(policy, { status }),
      worldOf(policy, { status, has: app }),
    ]),
    worldOf(policy, active, { assigned: false }),
  ]),
  worldOf(policyWith({ recovery: { unlocks: false } }), { status: 'LOCKED_OUT' }),
  // Users who open their own accounts: by the mailbox, by a second proof on top, on to the sign-in, or where only others may.
  ...(['LOCKED_OUT', 'ACTIVE', 'SUSPENDED'] as const).map((status) => worldOf(unlocking, { status })),
  worldOf(policyWith({ recovery: { secondFactor: 'required' } }, unlocking), { status: 'LOCKED_OUT' }),
  worldOf(policyWith({ recovery: { secondFactor: 'required' } }, unlocking), {
    status: 'LOCKED_OUT',
    has: app,
  }),
  worldOf(policyWith({ unlock: { continues: true } }, unlocking), { status: 'LOCKED_OUT' }),
  worldOf(standard, { status: 'LOCKED_OUT' }, { everyone: unlocking }),
  worldOf(
    policyWith({
      recovery: { authenticators: ['google_otp'], methods: { google_otp: ['otp'] } },
      unlock: { authenticators: ['google_otp'], methods: { google_otp: ['otp'] } },
    }),
    { status: 'LOCKED_OUT', has: app },
  ),
  ...[standard, strict, byName].flatMap((policy) => [
    worldOf(policy, active, { asksMethod: true }),
    // The password is as old as its user, who is warned every day of its only one.
    worldOf(policyWith({ password: { maxAgeDays: 1, expireWarnDays: 1 } }, policy), active),
  ]),
  // The app's policy requires an attribute that the user does not have.
  ...[standard, strict].map((policy) =>
    worldOf(policy, active, {
      missing: [{ name: 'city', label: 'City', required: true, attribute: { type: 'string' } }],
    }),
  ),
  worldOf(policyWith({ recovery: { countsAsOneFactor: true } }, strict), {
    status: 'ACTIVE',
    passwordSetBy: 'okta_email',
  }),
  worldOf(policyWith({ lockout: { maxAttempts: 10, autoUnlockMinutes: 60 } }), {
    status: 'ACTIVE',
    has: app,
  }),
  // Groups with policies of their own.
  ...[standard, byName].flatMap((everyone) => [
    worldOf(policyWith({ signOn: { access: 'DENY' } }, everyone), active, { everyone }),
    worldOf(policyWith({ signOn: { demand: twoFactors } }, everyone), active, { everyone }),
    worldOf(policyWith({ recovery: { authenticators: [] } }, everyone), active, { everyone }),
  ]),
  // Budgets that are used up: of the source, openly; of a name and of an account, silently.
  ...[standard, byName].flatMap((policy) =>
    [
      'spray-per-minute',
      'passwords-by-name',
      'passwords-per-hour',
      'codes-per-day',
      'mails-per-recipient',
    ].map((purpose) => worldOf(policy, active, { spent: [purpose, `${purpose}-by-source`] })),
  ),
]
