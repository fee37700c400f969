import type { DeepPartial } from './deep-partial.ts'

/** The body of a rule of an access policy, in the management API's shape. */
export interface AccessRuleBody {
  readonly actions: {
    readonly appSignOn: {
      readonly access: 'ALLOW' | 'DENY'
      readonly verificationMethod: {
        readonly type: string
        readonly factorMode: '1FA' | '2FA'
        readonly constraints?: readonly Constraint[]
      }
    }
  }
}

type FactorClass = 'knowledge' | 'possession'
type Constraint = { readonly [Name in FactorClass]?: Demand | null } & { readonly inherence?: unknown }

interface Demand {
  readonly required?: boolean
  readonly types?: readonly string[]
  readonly methods?: readonly string[]
  readonly authenticationMethods?: readonly Method[]
  readonly excludedAuthenticationMethods?: readonly Method[]
  readonly deviceBound?: string
  readonly hardwareProtection?: string
  readonly phishingResistant?: string
  readonly userVerification?: string
}

interface Method {
  readonly key?: string
}

/** The assurance that a sign-in to an app must reach. */
export interface Assurance {
  readonly access: 'ALLOW' | 'DENY'
  readonly factors: 1 | 2
  /** Each is a set of authenticators that together satisfy the rule. Empty: any authenticator satisfies it. */
  readonly alternatives: readonly (readonly string[])[]
}

const authenticators: Readonly<Record<FactorClass, string>> = {
  knowledge: 'okta_password',
  possession: 'okta_email',
}
const methods: Readonly<Record<FactorClass, string>> = { knowledge: 'password', possession: 'email' }
const factorClasses: readonly FactorClass[] = ['knowledge', 'possession']
const properties = ['deviceBound', 'hardwareProtection', 'phishingResistant', 'userVerification'] as const

/**
 * Whether the authenticator of a factor class meets a demand. A mailed code is not device bound or phishing resistant.
 */
function canMeet(factorClass: FactorClass, demand: Demand): boolean {
  const listed = [demand.types, demand.methods].every(
    (names) => names === undefined || names.length === 0 || names.includes(methods[factorClass]),
  )
  const names = (all: readonly Method[] = []) => all.map(({ key }) => key)
  const allowed = names(demand.authenticationMethods)
  return (
    listed &&
    (allowed.length === 0 || allowed.includes(authenticators[factorClass])) &&
    !names(demand.excludedAuthenticationMethods).includes(authenticators[factorClass]) &&
    !(factorClass === 'possession' && properties.some((name) => demand[name] === 'REQUIRED'))
  )
}

/** The authenticators that satisfy a constraint together; undefined where no authenticators can. */
export function authenticatorsFor(constraint: Constraint): readonly string[] | undefined {
  if (constraint.inherence !== undefined && constraint.inherence !== null) return undefined
  const required: string[] = []
  for (const factorClass of factorClasses) {
    const demand = constraint[factorClass]
    if (demand === undefined || demand === null || demand.required === false) continue
    if (!canMeet(factorClass, demand)) return undefined
    required.push(authenticators[factorClass])
  }
  return required
}

/** Reads a rule. A rule that no authenticator can satisfy denies access: it is never weakened to what is available. */
export function assuranceOf({ actions }: DeepPartial<AccessRuleBody>, usable: readonly string[]): Assurance {
  const { access = 'ALLOW', verificationMethod: method } = actions?.appSignOn ?? {}
  const constraints = (method?.constraints ?? []) as readonly Constraint[]
  const alternatives = constraints.flatMap((constraint) => {
    const required = authenticatorsFor(constraint)
    return required?.every((key) => usable.includes(key)) ? [required] : []
  })
  const canBeMet =
    (method?.type ?? 'ASSURANCE') === 'ASSURANCE' && (constraints.length === 0 || alternatives.length > 0)
  return {
    access: canBeMet ? access : 'DENY',
    factors: method?.factorMode === '2FA' ? 2 : 1,
    // A constraint without demands is satisfied by any authenticator.
    alternatives: alternatives.some((required) => required.length === 0) ? [] : alternatives,
  }
}
