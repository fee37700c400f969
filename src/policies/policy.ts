import type { AccessRuleBody, Assurance } from './assurance.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'
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

/** What applies to one user at one client: the first match of each kind of policy. */
export interface Policy {
  readonly password: PasswordRules
  readonly lockout: Lockout
  readonly recovery: {
    readonly authenticators: readonly string[]
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
  readonly signOn: Assurance & {
    readonly start: 'password' | 'identifier'
    /** The authenticators for a sign-in, in the order in which they are offered. */
    readonly authenticators: readonly string[]
    /** All that are in use for signing in, also those that no sign-in is begun with. The same for every name. */
    readonly active: readonly string[]
  }
  /** Which authenticators the user must or may enrol, in this order. */
  readonly enrollment: EnrollmentPolicy
  /** How long a code that was sent is good, in milliseconds, by authenticator; absent: as the configuration says. */
  readonly codeLifetimes: Readonly<Record<string, number>>
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
        readonly primary: { readonly methods: readonly string[] }
        readonly stepUp: { readonly required: boolean }
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
    }
  }
}

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

// The management API has methods (`email`), the engine authenticators (`okta_email`).
const methodOf = (authenticator: string): string => authenticator.replace(/^okta_/, '')

export const passwordRuleBody = (options: PoliciesOptions['password']): PasswordRuleBody => ({
  actions: {
    selfServicePasswordReset: {
      access: options.recovery.authenticators.length > 0 ? 'ALLOW' : 'DENY',
      requirement: {
        primary: { methods: options.recovery.authenticators.map(methodOf) },
        stepUp: { required: false },
      },
    },
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

/** Which authenticators may start a recovery. A rule that names no method leaves it to its policy. */
export function recoveryAuthenticatorsFrom(
  { actions }: DeepPartial<PasswordRuleBody>,
  { settings }: DeepPartial<PasswordPolicyBody>,
  catalogue: readonly AuthenticatorFacts[],
): readonly string[] {
  const { access, requirement } = actions?.selfServicePasswordReset ?? {}
  if (access !== 'ALLOW') return []
  const named = requirement?.primary?.methods
  return catalogue.flatMap(({ key, methods, recovers }) => {
    const isNamed =
      named === undefined
        ? settings?.recovery?.factors?.[key]?.status !== 'INACTIVE'
        : methods.some(({ type }) => named.includes(type))
    return recovers && isNamed ? [key] : []
  })
}

export const unlockAllowed = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServiceUnlock?.access !== 'DENY'

export const stepUpRequired = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServicePasswordReset?.requirement?.stepUp?.required === true
