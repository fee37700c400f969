import type { AccessRuleBody, Assurance } from './assurance.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { PoliciesOptions, SignOnOptions } from './options.ts'

/** What a new password must satisfy. Named as in the management API's password policy. */
export interface PasswordRules {
  readonly minLength: number
  readonly minLowerCase: number
  readonly minUpperCase: number
  readonly minNumber: number
  readonly minSymbol: number
  readonly excludeUsername: boolean
  readonly excludeAttributes: readonly string[]
  readonly excludeCommon: boolean
  readonly historyCount: number
  readonly minAgeMinutes: number
  readonly maxAgeDays: number
}

/** When wrong passwords lock an account. Named as in the management API's password policy. */
export interface Lockout {
  /** How many wrong passwords in a row lock it; 0: none do. */
  readonly maxAttempts: number
  /** After how many minutes it opens by itself; 0: it does not. */
  readonly autoUnlockMinutes: number
}

/** What applies to one person at one client: the first match of each kind of policy. */
export interface Policy {
  readonly password: PasswordRules
  readonly lockout: Lockout
  readonly recovery: {
    readonly authenticators: readonly string[]
    readonly offerRevokeSessions: boolean
    readonly revealUnknown: boolean
    readonly signIn: boolean
    readonly secondFactor: 'if-enrolled' | 'required'
    /** Whether a recovery opens a locked account. */
    readonly unlocks: boolean
  }
  readonly signOn: Assurance & {
    readonly start: 'password' | 'identifier'
    /** What may be used to sign in, in the order in which it is offered. */
    readonly authenticators: readonly string[]
  }
  /** How long a mailed code is good, in milliseconds; absent: as the configuration says. */
  readonly codeLifetimeMs?: number
}

const presets: Readonly<Record<'modern' | 'okta', PasswordRules>> = {
  modern: {
    minLength: 12,
    minLowerCase: 0,
    minUpperCase: 0,
    minNumber: 0,
    minSymbol: 0,
    excludeUsername: true,
    excludeAttributes: ['firstName', 'lastName'],
    excludeCommon: true,
    historyCount: 1,
    minAgeMinutes: 0,
    maxAgeDays: 0,
  },
  okta: {
    minLength: 8,
    minLowerCase: 1,
    minUpperCase: 1,
    minNumber: 1,
    minSymbol: 1,
    excludeUsername: true,
    excludeAttributes: [],
    excludeCommon: true,
    historyCount: 4,
    minAgeMinutes: 0,
    maxAgeDays: 0,
  },
}

/** The password rules that a configuration asks for: a preset, and what it changes of it. */
export function passwordRulesOf(options: PoliciesOptions['password']): PasswordRules {
  const { preset, complexity = {}, age = {} } = options
  return { ...presets[preset], ...complexity, ...age }
}

/** Bodies in the management API's shapes, as they stand in the database. */
export interface PasswordPolicyBody {
  readonly settings: {
    readonly password: {
      readonly complexity: {
        readonly minLength: number
        readonly minLowerCase: number
        readonly minUpperCase: number
        readonly minNumber: number
        readonly minSymbol: number
        readonly excludeUsername: boolean
        readonly excludeAttributes: readonly string[]
        readonly dictionary: { readonly common: { readonly exclude: boolean } }
      }
      readonly age: {
        readonly maxAgeDays: number
        readonly minAgeMinutes: number
        readonly historyCount: number
      }
      readonly lockout: Lockout
    }
    readonly recovery?: {
      readonly factors: { readonly okta_email: { readonly status: 'ACTIVE' | 'INACTIVE' } }
    }
  }
}

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

// Wrong guesses are bounded without it, and whoever can lock an account can lock its owner out.
const noLockout: Lockout = { maxAttempts: 0, autoUnlockMinutes: 0 }

export const lockoutFrom = ({ settings }: DeepPartial<PasswordPolicyBody>): Lockout => ({
  ...noLockout,
  ...settings?.password?.lockout,
})

export const passwordPolicyBody = (rules: PasswordRules, lockout: Lockout): PasswordPolicyBody => ({
  settings: {
    password: {
      complexity: {
        minLength: rules.minLength,
        minLowerCase: rules.minLowerCase,
        minUpperCase: rules.minUpperCase,
        minNumber: rules.minNumber,
        minSymbol: rules.minSymbol,
        excludeUsername: rules.excludeUsername,
        excludeAttributes: rules.excludeAttributes,
        dictionary: { common: { exclude: rules.excludeCommon } },
      },
      age: {
        maxAgeDays: rules.maxAgeDays,
        minAgeMinutes: rules.minAgeMinutes,
        historyCount: rules.historyCount,
      },
      lockout,
    },
  },
})

// The management API names methods (`email`), the engine authenticators (`okta_email`).
const methodOf = (authenticator: string): string => authenticator.replace(/^okta_/, '')
const authenticatorOf = (method: string): string => (method === 'email' ? 'okta_email' : method)

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

/** The rules of a stored policy. What its body does not say is as Okta has it where nothing is said. */
export function passwordRulesFrom(body: DeepPartial<PasswordPolicyBody>): PasswordRules {
  const { complexity = {}, age = {} } = body.settings?.password ?? {}
  const { okta } = presets
  return {
    minLength: complexity.minLength ?? okta.minLength,
    minLowerCase: complexity.minLowerCase ?? okta.minLowerCase,
    minUpperCase: complexity.minUpperCase ?? okta.minUpperCase,
    minNumber: complexity.minNumber ?? okta.minNumber,
    minSymbol: complexity.minSymbol ?? okta.minSymbol,
    excludeUsername: complexity.excludeUsername ?? okta.excludeUsername,
    excludeAttributes: complexity.excludeAttributes ?? okta.excludeAttributes,
    excludeCommon: complexity.dictionary?.common?.exclude ?? okta.excludeCommon,
    historyCount: age.historyCount ?? okta.historyCount,
    minAgeMinutes: age.minAgeMinutes ?? okta.minAgeMinutes,
    maxAgeDays: age.maxAgeDays ?? okta.maxAgeDays,
  }
}

/** Which authenticators of those there are may start a recovery. A rule that names none leaves it to its policy. */
export function recoveryAuthenticatorsFrom(
  { actions }: DeepPartial<PasswordRuleBody>,
  { settings }: DeepPartial<PasswordPolicyBody>,
): readonly string[] {
  const { access, requirement } = actions?.selfServicePasswordReset ?? {}
  if (access !== 'ALLOW') return []
  const ofPolicy = settings?.recovery?.factors?.okta_email?.status === 'INACTIVE' ? [] : ['email']
  return (requirement?.primary?.methods ?? ofPolicy)
    .filter((method) => method === 'email')
    .map(authenticatorOf)
}

export const unlockAllowed = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServiceUnlock?.access !== 'DENY'

export const stepUpRequired = ({ actions }: DeepPartial<PasswordRuleBody>): boolean =>
  actions?.selfServicePasswordReset?.requirement?.stepUp?.required === true
