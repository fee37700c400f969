import type { AccessRuleBody, Assurance } from './assurance.ts'
import type { AuthenticatorSetup } from './authenticator-settings.store.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts, Demand } from './demand.ts'
import type { EnrollmentPolicy } from './enrollment-policy.ts'
import type { PoliciesOptions, SignOnOptions } from './options.ts'
import { type PasswordRules, passwordPreset, passwordRulesBody, passwordRulesIn } from './password-rules.ts'

/** When wrong passwords lock an account. Named as in the management API's password policy. */
export interface Lockout {
  /** How many wrong passwords in a row lock the account; 0: never. */
  readonly maxAttempts: number
  /** After how many minutes it is unlocked by itself; 0: never. */
  readonly autoUnlockMinutes: number
}

/** Methods by the key of their authenticator. An authenticator without an entry may be used by all of its methods. */
export type MethodsByAuthenticator = Readonly<Record<string, readonly string[]>>

/** What the rule of a password policy lets users do without an administrator, and what they prove for it. */
export interface SelfService {
  /** The authenticators that may begin it, in the order in which they are offered; none: it is not allowed. */
  readonly authenticators: readonly string[]
  /** Which of their methods may begin it. */
  readonly methods: MethodsByAuthenticator
  /** What may come on top of the first proof, as far as the rule names it; absent: whatever the user signs in with. */
  readonly stepUp?: MethodsByAuthenticator | undefined
}

/** What applies to one user at one client: the first match of each kind of policy. */
export interface Policy {
  readonly password: PasswordRules
  readonly lockout: Lockout
  readonly recovery: SelfService & {
    readonly offerRevokeSessions: boolean
    readonly revealUnknown: boolean
    readonly signIn: boolean
    readonly secondFactor: 'if-enrolled' | 'required'
    /**
     * Whether a password that was set by a proof of one authenticator counts as the same factor as that authenticator
     * in later sign-ins: access to the mailbox is enough to set the password, too (A54).
     */
    readonly countsAsOneFactor: boolean
    /** Whether a recovery opens a locked account. */
    readonly unlocks: boolean
  }
  /** How users open their own locked accounts. */
  readonly unlock: SelfService & {
    /** Whether the same transaction goes on to the sign-in; otherwise it ends in a message. */
    readonly continues: boolean
  }
  /** The methods that an administrator has switched off. */
  readonly methodsOff: MethodsByAuthenticator
  readonly signOn: Assurance & {
    readonly start: 'password' | 'identifier'
    /** The authenticators for a sign-in, in the order in which they are offered. */
    readonly authenticators: readonly string[]
    /** All that are in use for signing in, also those that no sign-in is begun with. The same for every name. */
    readonly active: readonly string[]
    /** What the enrolment policy of the user does not allow: a proof by it counts for nothing. Absent: nothing. */
    readonly notAllowed?: readonly string[]
    /** Whether a device is remembered without the user asking for it, where the policy remembers devices at all. */
    readonly remembersByDefault?: true
    /** How the session lives that a browser gets on the engine's own pages; absent: as configured. */
    readonly browserSession?: BrowserSessionRule
  }
  /** Which authenticators the user must or may enrol, in this order. */
  readonly enrollment: EnrollmentPolicy
  /** How long a code that was sent is good, in milliseconds, by authenticator; absent: as the configuration says. */
  readonly codeLifetimes: Readonly<Record<string, number>>
  /**
   * Whether codes by mail go to verified secondary addresses, too: once some user has one. The same for every name, so that
   * the number of mails does not show who has two addresses.
   */
  readonly secondaryEmails: boolean
  /** What administrators have set of each authenticator, by its key. The same for every name. */
  readonly authenticatorSettings: Readonly<Record<string, AuthenticatorSetup['settings']>>
}

/** The password rules of a configuration: a preset, and the members that override it. */
export function passwordRulesOf(options: PoliciesOptions['password']): PasswordRules {
  const { preset, complexity = {}, age = {} } = options
  return { ...passwordPreset(preset), ...complexity, ...age }
}

/** The body of a password policy, as the management API has it and as it is stored. */
export interface PasswordPolicyBody {
  readonly settings: {
    readonly password: {
      readonly complexity: Readonly<Record<string, unknown>>
      readonly age: Readonly<Record<string, unknown>>
      readonly lockout: Lockout
    }
    readonly recovery?: {
      /** By the key of the authenticator. */
      readonly factors: Readonly<Record<string, { readonly status: 'ACTIVE' | 'INACTIVE' }>>
    }
  }
}

/** The body of a rule of a password policy. */
export interface PasswordRuleBody {
  readonly actions: {
    readonly selfServicePasswordReset: {
      readonly access: 'ALLOW' | 'DENY'
      readonly requirement: {
        readonly primary: {
          readonly methods: readonly string[]
          /** Which authenticators may be used by a method that several have. */
          readonly methodConstraints?: readonly {
            readonly method: string
            readonly allowedAuthenticators: readonly { readonly key: string }[]
          }[]
        }
        readonly stepUp: { readonly required: boolean; readonly methods?: readonly string[] }
      }
    }
    readonly selfServiceUnlock?: { readonly access: 'ALLOW' | 'DENY' }
  }
}

/** The body of a rule of a global session policy. */
export interface SignOnRuleBody {
  readonly actions: {
    readonly signon: {
      readonly access: 'ALLOW' | 'DENY'
      readonly primaryFactor: 'PASSWORD_IDP' | 'PASSWORD_IDP_ANY_FACTOR'
      readonly requireFactor?: boolean
      /** When a second factor is asked for: at each sign-in (ALWAYS, SESSION), or once for a device (DEVICE). */
      readonly factorPromptMode?: 'ALWAYS' | 'DEVICE' | 'SESSION'
      /** How long a remembered device counts, in minutes. */
      readonly factorLifetime?: number
      readonly rememberDeviceByDefault?: boolean
      readonly session?: {
        /** Whether the session of a user who wishes it outlives the browser. */
        readonly usePersistentCookie?: boolean
        /** How long the session of a browser lives after its last use; 0 and absent: as configured. */
        readonly maxSessionIdleMinutes?: number
        /** The same, however often it is used. */
        readonly maxSessionLifetimeMinutes?: number
      }
    }
  }
}

type SignOn = DeepPartial<SignOnRuleBody['actions']['signon']> | undefined

const minuteMs = 60_000

/** For how long a device that was remembered counts as the second factor of a session; undefined: not at all. */
function rememberedBy(signOn: SignOn): number | undefined {
  if (signOn?.requireFactor !== true || signOn.factorPromptMode !== 'DEVICE') return undefined
  const minutes = signOn.factorLifetime ?? 0
  return minutes > 0 ? minutes * minuteMs : undefined
}

/**
 * The demand of an app with that of the global session: the stricter of the two in each respect. What the app asks of a second factor a
 * remembered device meets only where the rule of the app says so (A78).
 */
export function withSession(app: Demand, signOn: SignOn): Demand {
  if (signOn?.requireFactor !== true) return app
  const { remembered, ...demand } = app
  const bySession = rememberedBy(signOn)
  const byApp = app.factors === 1 ? Number.POSITIVE_INFINITY : remembered?.factors
  const factors = bySession === undefined || byApp === undefined ? undefined : Math.min(bySession, byApp)
  const alternatives = remembered?.alternatives
  const counted = {
    ...(factors !== undefined && { factors }),
    ...(alternatives !== undefined && { alternatives }),
  }
  return {
    ...demand,
    factors: 2,
    ...(Object.keys(counted).length > 0 && { remembered: counted }),
  }
}

/** How the session of a user's browser lives. Absent members: as the configuration says. */
export interface BrowserSessionRule {
  /** After its last use, in milliseconds. */
  readonly idleMs?: number
  /** At most, in milliseconds. */
  readonly lifetimeMs?: number
  /** A user who wishes to stay signed in is still signed in once the browser has been closed. */
  readonly mayPersist?: true
}

/** What the rule of a global session policy says of the session of a browser. Numbers that are none leave it as configured. */
export function browserSessionBy(signOn: SignOn): BrowserSessionRule {
  const { usePersistentCookie, maxSessionIdleMinutes, maxSessionLifetimeMinutes } = signOn?.session ?? {}
  const ms = (minutes: unknown) =>
    typeof minutes === 'number' && minutes > 0 && Number.isFinite(minutes) ? minutes * minuteMs : undefined
  const idleMs = ms(maxSessionIdleMinutes)
  const lifetimeMs = ms(maxSessionLifetimeMinutes)
  return {
    ...(idleMs !== undefined && { idleMs }),
    ...(lifetimeMs !== undefined && { lifetimeMs }),
    ...(usePersistentCookie === true && { mayPersist: true as const }),
  }
}

/** Whether a device is remembered without the user asking for it. */
export const remembersByDefault = (signOn: SignOn): boolean =>
  signOn?.rememberDeviceByDefault === true && rememberedBy(signOn) !== undefined

export const lockoutOf = ({ lockout = {} }: PoliciesOptions['password']): Lockout => ({
  ...noLockout,
  ...lockout,
})

// Off by default: budgets limit guesses without it, and a lockout lets anyone deny the owner access (A29).
const noLockout: Lockout = { maxAttempts: 0, autoUnlockMinutes: 0 }

export const lockoutFrom = ({ settings }: DeepPartial<PasswordPolicyBody>): Lockout => ({
  ...noLockout,
  ...settings?.password?.lockout,
})

export const passwordPolicyBody = (rules: PasswordRules, lockout: Lockout): PasswordPolicyBody => ({
  settings: { password: { ...passwordRulesBody(rules), lockout } },
})

// The management API has methods (`email`), the configuration authenticators (`okta_email`).
const methodsNamed = (authenticator: string): readonly string[] =>
  ({ phone_number: ['sms', 'voice'], google_otp: ['otp'] })[authenticator] ?? [
    authenticator.replace(/^okta_/, ''),
  ]

export const passwordRuleBody = (options: PoliciesOptions['password']): PasswordRuleBody => ({
  actions: {
    selfServicePasswordReset: {
      access: options.recovery.authenticators.length > 0 ? 'ALLOW' : 'DENY',
      requirement: {
        primary: { methods: options.recovery.authenticators.flatMap(methodsNamed) },
        stepUp: { required: false },
      },
    },
    ...(options.recovery.unlock === true && { selfServiceUnlock: { access: 'ALLOW' } }),
  },
})

export const signOnRuleBody = (options: SignOnOptions): SignOnRuleBody => ({
  actions: {
    signon: {
      access: 'ALLOW',
      primaryFactor: options.start === 'identifier' ? 'PASSWORD_IDP_ANY_FACTOR' : 'PASSWORD_IDP',
    },
  },
})

export const accessRuleBody = (options: SignOnOptions): AccessRuleBody => ({
  actions: {
    appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', factorMode: options.factors } },
  },
})

/** The rules of a stored policy. Members that are absent have Okta's defaults. */
export const passwordRulesFrom = ({ settings }: DeepPartial<PasswordPolicyBody>): PasswordRules =>
  passwordRulesIn(settings?.password)

type PasswordRule = DeepPartial<PasswordRuleBody>
type PasswordPolicy = DeepPartial<PasswordPolicyBody>

/** How a user may recover a password. */
export const recoveryFrom = (
  rule: PasswordRule,
  policy: PasswordPolicy,
  catalogue: readonly AuthenticatorFacts[],
): SelfService =>
  selfServiceFrom(rule.actions?.selfServicePasswordReset?.access === 'ALLOW', rule, policy, catalogue)

/** How users may open their own locked accounts: off unless a rule says so, and proven as a recovery is. */
export const unlockFrom = (
  rule: PasswordRule,
  policy: PasswordPolicy,
  catalogue: readonly AuthenticatorFacts[],
): SelfService =>
  selfServiceFrom(rule.actions?.selfServiceUnlock?.access === 'ALLOW', rule, policy, catalogue)

/** What must be proven stands in the rule once, for both. A rule that names no method leaves it to its policy. */
function selfServiceFrom(
  isAllowed: boolean,
  { actions }: PasswordRule,
  { settings }: PasswordPolicy,
  catalogue: readonly AuthenticatorFacts[],
): SelfService {
  if (!isAllowed) return { authenticators: [], methods: {} }
  const { primary, stepUp } = actions?.selfServicePasswordReset?.requirement ?? {}
  const named = listOf<string>(primary?.methods)
  const constraints = listOf<Constraint>(primary?.methodConstraints) ?? []
  const status = settings?.recovery?.factors ?? {}
  const begins = (one: AuthenticatorFacts, type: string): boolean => {
    if (named !== undefined) return named.includes(type) && isAllowedBy(constraints, one.key, type)
    const states = [one.key, ...(recoveryFactors[type] ?? [])].map((factor) => status[factor]?.status)
    // As in Okta: what every account has begins a recovery unless it is switched off, what is enrolled only where it is on.
    return one.implicit ? !states.includes('INACTIVE') : states.includes('ACTIVE')
  }
  const methods = catalogue.flatMap((one) => {
    if (!one.recovers && !(named !== undefined && one.recoversIfNamed)) return []
    const types = one.methods.flatMap(({ type }) => (begins(one, type) ? [type] : []))
    return types.length > 0 ? [[one.key, types] as const] : []
  })
  const onTop = listOf<string>(stepUp?.methods) ?? []
  return {
    authenticators: methods.map(([key]) => key),
    methods: Object.fromEntries(methods),
    ...(onTop.length > 0 && { stepUp: stepUpFrom(onTop, catalogue) }),
  }
}

type Constraint = DeepPartial<{ method: string; allowedAuthenticators: readonly { readonly key: string }[] }>

/** A list as it was stored; undefined: there is none. */
const listOf = <T>(value: unknown): readonly T[] | undefined =>
  Array.isArray(value) ? (value as readonly T[]) : undefined

/** Whether the constraints leave a method to an authenticator. One that names no authenticator allows every one. */
const isAllowedBy = (constraints: readonly Constraint[], key: string, type: string): boolean =>
  constraints
    .filter(({ method }) => method === type)
    .every(
      ({ allowedAuthenticators: allowed }) => !allowed?.length || allowed.some((one) => one?.key === key),
    )

/** Under which names a policy switches methods on and off, besides the key of their authenticator. */
const recoveryFactors: Readonly<Record<string, readonly string[]>> = {
  sms: ['okta_sms'],
  voice: ['okta_call'],
  security_question: ['recovery_question'],
}

/** What a rule names for the second proof, by method or by the key of an authenticator. */
const stepUpFrom = (
  named: readonly string[],
  catalogue: readonly AuthenticatorFacts[],
): MethodsByAuthenticator =>
  Object.fromEntries(
    catalogue.flatMap(({ key, methods }) => {
      const types = methods.flatMap(({ type }) => (named.includes(type) || named.includes(key) ? [type] : []))
      return types.length > 0 ? [[key, types] as const] : []
    }),
  )

/** The union of what several rules allow, the same for every name (A53). */
export const unionOf = (
  all: readonly SelfService[],
  catalogue: readonly AuthenticatorFacts[],
): SelfService => {
  const methods = catalogue.flatMap(({ key, methods: known }) => {
    const types = known.flatMap(({ type }) =>
      all.some((one) => one.methods[key]?.includes(type)) ? [type] : [],
    )
    return types.length > 0 ? [[key, types] as const] : []
  })
  return { authenticators: methods.map(([key]) => key), methods: Object.fromEntries(methods) }
}

export const unlockAllowed = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServiceUnlock?.access !== 'DENY'

export const stepUpRequired = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServicePasswordReset?.requirement?.stepUp?.required === true
