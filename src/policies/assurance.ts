import type { DeepPartial } from './deep-partial.ts'
import {
  type AuthenticatorFacts,
  type Demand,
  evidenceOf,
  helps,
  meets,
  type NamedMethod,
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
        /** How old a proof may be, as a duration of ISO 8601; `PT0S`: proven anew each time. */
        readonly reauthenticateIn?: string
        /** Of the type AUTH_METHOD_CHAIN, in place of constraints: alternatives, each a chain of steps. */
        readonly chains?: readonly ChainBody[]
      }
      /** Whether a device that was remembered goes on counting as the second factor, and for how long. */
      readonly keepMeSignedIn?: { readonly postAuth?: string; readonly postAuthPromptFrequency?: string }
    }
  }
}

const factorNames = ['knowledge', 'possession', 'inherence'] as const
type Constraint = { readonly [Name in (typeof factorNames)[number]]?: ConstraintBody | null }

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
  readonly userVerificationMethods?: readonly string[]
  readonly reauthenticateIn?: string
}

interface MethodBody {
  readonly key?: string
  readonly method?: string
  readonly hardwareProtection?: string
  readonly phishingResistant?: string
  readonly userVerification?: string
}

/** One step of a chain: one of these methods, then the next step. */
interface ChainBody {
  readonly authenticationMethods?: readonly MethodBody[]
  readonly next?: readonly ChainBody[]
  readonly reauthenticateIn?: string
}

/**
 * What a constraint may ask for besides the factor. `userPresence`, which is REQUIRED where nothing is said, is not among
 * them: every method here takes an act of the user, so all have it.
 */
const traits: readonly Trait[] = [
  'deviceBound',
  'hardwareProtection',
  'phishingResistant',
  'userVerification',
]

/** How much must be proven for an app. */
export interface Assurance {
  readonly access: 'ALLOW' | 'DENY'
  readonly demand: Demand
}

/** What a constraint asks for: one requirement for each factor that it names. */
function requirementsOf(constraint: Constraint): readonly Requirement[] {
  return factorNames.flatMap((factor) => {
    const body = constraint[factor]
    if (body === undefined || body === null || body.required === false) return []
    const maxAge = maxAgeOf(body.reauthenticateIn)
    return [
      {
        factor,
        types: lower(body.types),
        methods: lower(body.methods),
        authenticators: named(body.authenticationMethods),
        excluded: named(body.excludedAuthenticationMethods),
        traits: traits.filter(
          (trait) =>
            body[trait] === 'REQUIRED' ||
            // No proof says whether it was a PIN or a finger.
            (trait === 'userVerification' && (body.userVerificationMethods?.length ?? 0) > 0),
        ),
        ...(maxAge !== undefined && { maxAge }),
      },
    ]
  })
}

// Rules come back from clients with what they had read: with null where nothing was chosen, and with what is there twice.
const lower = (names: readonly string[] | null | undefined): readonly string[] => [
  ...new Set((names ?? []).map((name) => name.toLowerCase())),
]
const named = (all: readonly MethodBody[] | null | undefined): readonly NamedMethod[] =>
  (all ?? []).flatMap(({ key, method, ...body }) => {
    const required = traits.filter(
      (trait) => trait !== 'deviceBound' && body[trait as keyof typeof body] === 'REQUIRED',
    )
    return key === undefined
      ? []
      : [
          {
            key,
            ...(method && { method: method.toLowerCase() }),
            ...(required.length > 0 && { traits: required }),
          },
        ]
  })

/**
 * The steps of a chain as requirements: all must be met, in whatever order. Undefined where it branches, or where two steps share an
 * authenticator: one proof would meet both.
 */
function stepsOf(chain: ChainBody): readonly Requirement[] | undefined {
  const { authenticationMethods, next, reauthenticateIn } = chain
  const [following, ...others] = next ?? []
  const authenticators = named(authenticationMethods)
  const rest = following === undefined ? [] : stepsOf(following)
  const isShared = rest?.some((step) =>
    step.authenticators?.some(({ key }) => authenticators.some((one) => one.key === key)),
  )
  if (rest === undefined || others.length > 0 || authenticators.length === 0 || isShared) return undefined
  const maxAge = maxAgeOf(reauthenticateIn)
  return [{ authenticators, traits: [], ...(maxAge !== undefined && { maxAge }) }, ...rest]
}

const chained = 'AUTH_METHOD_CHAIN'

/** What a rule asks for as alternatives, each a list of requirements. Undefined: one of a kind that is not known. */
function alternativesOf(body: DeepPartial<AccessRuleBody>): readonly (readonly Requirement[] | undefined)[] {
  const { type = 'ASSURANCE', chains } = body.actions?.appSignOn?.verificationMethod ?? {}
  if (type === 'ASSURANCE') return constraintsOf(body).map(requirementsOf)
  if (type !== chained || !Array.isArray(chains) || chains.length === 0) return [undefined]
  return (chains as readonly ChainBody[]).map(stepsOf)
}

/** The alternatives of a rule that no authenticator here can meet, by their places. */
export const unmetAlternatives = (
  body: DeepPartial<AccessRuleBody>,
  usable: readonly AuthenticatorFacts[],
): readonly number[] =>
  alternativesOf(body).flatMap((requirements, index) =>
    requirements?.every((requirement) => canMeet(requirement, usable)) ? [] : [index],
  )

const durationPattern = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** A duration of ISO 8601 in milliseconds: weeks, days, hours, minutes and seconds. Undefined for what is none. */
export function isoDuration(text: string): number | undefined {
  const found = durationPattern.exec(text)
  if (found === null || /[PT]$/.test(text)) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0))
  return ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}

/** A text that is no duration asks for a proof each time: never for less than it might say. */
const maxAgeOf = (text: string | null | undefined): number | undefined =>
  text === undefined || text === null || text === '' ? undefined : (isoDuration(text) ?? 0)

/** Whether it is the password that an alternative names, and nothing besides. */
const isPasswordAlone = (requirements: readonly Requirement[]): boolean => {
  const [one, ...others] = requirements
  if (one === undefined || others.length > 0 || one.factor !== 'knowledge') return false
  const { types = [], methods = [], authenticators = [] } = one
  return [types, methods, authenticators.map(({ key }) => key.replace(/^okta_/, ''))].some(
    (names) => names.length > 0 && names.every((name) => name === 'password'),
  )
}

/** For how long a remembered device counts as the second factor of a rule; undefined: it does not. */
function rememberedFor({ actions }: DeepPartial<AccessRuleBody>): number | undefined {
  const { verificationMethod, keepMeSignedIn } = actions?.appSignOn ?? {}
  if (keepMeSignedIn?.postAuth !== 'ALLOWED' || verificationMethod?.factorMode !== '2FA') return undefined
  return isoDuration(keepMeSignedIn.postAuthPromptFrequency ?? 'P30D') ?? 0
}

/** Whether some method of these authenticators is what a requirement asks for. */
const canMeet = (requirement: Requirement, usable: readonly AuthenticatorFacts[]): boolean =>
  usable.some((authenticator) =>
    authenticator.methods.some(({ type }) => meets(evidenceOf(authenticator, type), requirement)),
  )

/** The alternatives of a rule. Okta's documentation also has one alternative without a list. */
const constraintsOf = ({ actions }: DeepPartial<AccessRuleBody>): readonly Constraint[] =>
  [actions?.appSignOn?.verificationMethod?.constraints ?? []].flat() as readonly Constraint[]

/** Reads a rule. What no authenticator here can meet lets no user in: it is never taken for less than it says. */
export function assuranceOf(
  body: DeepPartial<AccessRuleBody>,
  usable: readonly AuthenticatorFacts[],
): Assurance {
  const { access = 'ALLOW', verificationMethod: method } = body.actions?.appSignOn ?? {}
  const asked = alternativesOf(body)
  const alternatives = asked.filter(
    (one): one is readonly Requirement[] =>
      one?.every((requirement) => canMeet(requirement, usable)) === true,
  )
  const factors = method?.factorMode === '2FA' ? 2 : 1
  const maxAge = maxAgeOf(method?.reauthenticateIn)
  const remembered = rememberedFor(body)
  const isMet = asked.length === 0 || alternatives.length > 0
  return {
    access: isMet ? access : 'DENY',
    demand: {
      factors,
      // An alternative that asks for nothing is satisfied by whatever is proven.
      alternatives: alternatives.some((requirements) => requirements.length === 0) ? [] : alternatives,
      ...(maxAge !== undefined && { maxAge }),
      ...(factors === 2 &&
        alternatives.length > 0 &&
        alternatives.every(isPasswordAlone) && { anySecond: true }),
      ...(remembered !== undefined && { remembered: { factors: remembered, alternatives: remembered } }),
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
