import type { DeepPartial } from './deep-partial.ts'

/** What a sign-on rule of an app asks for, in the management API's shape. */
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

type Kind = 'knowledge' | 'possession'
type Constraint = { readonly [Name in Kind]?: Demand | null } & { readonly inherence?: unknown }

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

/** How much must be proven for an app. */
export interface Assurance {
  readonly access: 'ALLOW' | 'DENY'
  readonly factors: 1 | 2
  /** Each a way to satisfy the rule: the authenticators that must all be proven. None: any will do. */
  readonly alternatives: readonly (readonly string[])[]
}

const authenticators: Readonly<Record<Kind, string>> = {
  knowledge: 'okta_password',
  possession: 'okta_email',
}
const methods: Readonly<Record<Kind, string>> = { knowledge: 'password', possession: 'email' }
const kinds: readonly Kind[] = ['knowledge', 'possession']
const properties = ['deviceBound', 'hardwareProtection', 'phishingResistant', 'userVerification'] as const

/** Whether the one authenticator of a kind that there is meets what is asked of that kind. A mailed code is bound to no device. */
function canMeet(kind: Kind, demand: Demand): boolean {
  const listed = [demand.types, demand.methods].every(
    (names) => names === undefined || names.length === 0 || names.includes(methods[kind]),
  )
  const names = (all: readonly Method[] = []) => all.map(({ key }) => key)
  const allowed = names(demand.authenticationMethods)
  return (
    listed &&
    (allowed.length === 0 || allowed.includes(authenticators[kind])) &&
    !names(demand.excludedAuthenticationMethods).includes(authenticators[kind]) &&
    !(kind === 'possession' && properties.some((name) => demand[name] === 'REQUIRED'))
  )
}

/** The authenticators that a constraint asks for; undefined where none of those there are can meet it. */
export function authenticatorsFor(constraint: Constraint): readonly string[] | undefined {
  if (constraint.inherence !== undefined && constraint.inherence !== null) return undefined
  const way: string[] = []
  for (const kind of kinds) {
    const demand = constraint[kind]
    if (demand === undefined || demand === null || demand.required === false) continue
    if (!canMeet(kind, demand)) return undefined
    way.push(authenticators[kind])
  }
  return way
}

/** Reads a rule. What nobody here can meet lets nobody in: it is never taken for less than it says. */
export function assuranceOf({ actions }: DeepPartial<AccessRuleBody>, usable: readonly string[]): Assurance {
  const { access = 'ALLOW', verificationMethod: method } = actions?.appSignOn ?? {}
  const constraints = (method?.constraints ?? []) as readonly Constraint[]
  const alternatives = constraints.flatMap((constraint) => {
    const way = authenticatorsFor(constraint)
    return way?.every((key) => usable.includes(key)) ? [way] : []
  })
  const isMet =
    (method?.type ?? 'ASSURANCE') === 'ASSURANCE' && (constraints.length === 0 || alternatives.length > 0)
  return {
    access: isMet ? access : 'DENY',
    factors: method?.factorMode === '2FA' ? 2 : 1,
    // A way that asks for nothing is satisfied by whatever is proven.
    alternatives: alternatives.some((way) => way.length === 0) ? [] : alternatives,
  }
}
