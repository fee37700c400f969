import type { DeepPartial } from './deep-partial.ts'
import {
  type AuthenticatorFacts,
  type Demand,
  evidenceOf,
  helps,
  meets,
  type Requirement,
  type Trait,
} from './demand.ts'

/** The body of a rule of an access policy, in the management API's shape. */
export interface AccessRuleBody {
  readonly actions: {
    readonly appSignOn: {
      readonly access: 'ALLOW' | 'DENY'
      readonly verificationMethod: {
        readonly type: string
        readonly factorMode: '1FA' | '2FA'
        /** Alternatives; one that stands alone is a list of one. */
        readonly constraints?: readonly Constraint[] | Constraint
      }
    }
  }
}

const factors = ['knowledge', 'possession', 'inherence'] as const
type Constraint = { readonly [Name in (typeof factors)[number]]?: ConstraintBody | null }

interface ConstraintBody {
  readonly required?: boolean
  readonly types?: readonly string[]
  readonly methods?: readonly string[]
  readonly authenticationMethods?: readonly MethodBody[]
  readonly excludedAuthenticationMethods?: readonly MethodBody[]
  readonly deviceBound?: string
  readonly hardwareProtection?: string
  readonly phishingResistant?: string
  readonly userPresence?: string
  readonly userVerification?: string
}

interface MethodBody {
  readonly key?: string
}

const traits: readonly Trait[] = [
  'deviceBound',
  'hardwareProtection',
  'phishingResistant',
  'userPresence',
  'userVerification',
]

/** How much must be proven for an app. */
export interface Assurance {
  readonly access: 'ALLOW' | 'DENY'
  readonly demand: Demand
}

/** What a constraint asks for: one requirement for each factor that it names. */
function requirementsOf(constraint: Constraint): readonly Requirement[] {
  const keys = (all: readonly MethodBody[] = []) => all.flatMap(({ key }) => key ?? [])
  const lower = (names: readonly string[] = []) => names.map((name) => name.toLowerCase())
  return factors.flatMap((factor) => {
    const body = constraint[factor]
    if (body === undefined || body === null || body.required === false) return []
    return [
      {
        factor,
        types: lower(body.types),
        methods: lower(body.methods),
        authenticators: keys(body.authenticationMethods),
        excluded: keys(body.excludedAuthenticationMethods),
        traits: traits.filter((trait) => body[trait] === 'REQUIRED'),
      },
    ]
  })
}

/** Whether some method of these authenticators is what a requirement asks for. */
const canMeet = (requirement: Requirement, usable: readonly AuthenticatorFacts[]): boolean =>
  usable.some((authenticator) =>
    authenticator.methods.some(({ type }) => meets(evidenceOf(authenticator, type), requirement)),
  )

/** Whether all that a constraint asks for can be proven by these authenticators. */
export const canSatisfy = (constraint: Constraint, usable: readonly AuthenticatorFacts[]): boolean =>
  requirementsOf(constraint).every((requirement) => canMeet(requirement, usable))

/** The alternatives of a rule. Okta's documentation also has one alternative without a list. */
export const constraintsOf = ({ actions }: DeepPartial<AccessRuleBody>): readonly Constraint[] =>
  [actions?.appSignOn?.verificationMethod?.constraints ?? []].flat() as readonly Constraint[]

/** Reads a rule. What no authenticator here can meet lets no user in: it is never taken for less than it says. */
export function assuranceOf(
  body: DeepPartial<AccessRuleBody>,
  usable: readonly AuthenticatorFacts[],
): Assurance {
  const { access = 'ALLOW', verificationMethod: method } = body.actions?.appSignOn ?? {}
  const constraints = constraintsOf(body)
  const alternatives = constraints.filter((one) => canSatisfy(one, usable)).map(requirementsOf)
  const isMet =
    (method?.type ?? 'ASSURANCE') === 'ASSURANCE' && (constraints.length === 0 || alternatives.length > 0)
  return {
    access: isMet ? access : 'DENY',
    demand: {
      factors: method?.factorMode === '2FA' ? 2 : 1,
      // An alternative that asks for nothing is satisfied by whatever is proven.
      alternatives: alternatives.some((requirements) => requirements.length === 0) ? [] : alternatives,
    },
  }
}

/**
 * What may be asked for before anything has been proven: what some rule of the app can begin with, the same for every
 * name (A53). Where none can, as they let no user in or name only what may not be asked for first, it is whatever may
 * be: the refusal, or the rest of the demand, comes after that proof.
 */
export function firstMethods(
  rules: readonly Assurance[],
  usable: readonly AuthenticatorFacts[],
): readonly string[] {
  const first = usable.filter((one) => one.first)
  const beginning = first.filter((one) =>
    rules.some(
      ({ access, demand }) =>
        access === 'ALLOW' && one.methods.some(({ type }) => helps(demand, [], [evidenceOf(one, type)])),
    ),
  )
  return (beginning.length > 0 ? beginning : first).map(({ key }) => key)
}
