import type { Demand, Requirement } from './demand.ts'

/** What a sign-in reached: its authentication methods, and the traits of what was proven. */
export interface Reached {
  readonly amr: readonly string[]
  readonly traits?: readonly string[]
}

interface Level {
  readonly isReached: (reached: Reached) => boolean
  /** What it asks for besides what the policy of the app demands. */
  readonly raise: (demand: Demand, canProveTwo: boolean) => Demand
}

/** The stricter of two demands: each alternative with one requirement more. */
const also = (demand: Demand, requirement: Requirement): Demand => ({
  ...demand,
  alternatives:
    demand.alternatives.length === 0
      ? [[requirement]]
      : demand.alternatives.map((requirements) => [...requirements, requirement]),
})

// What an app asks for by name is proven in its own transaction: a remembered device says nothing of now (A74).
const anew = ({ remembered: _, ...demand }: Demand): Demand => demand
const two = (demand: Demand): Demand => ({ ...anew(demand), factors: 2 })
const resistant = { factor: 'possession', traits: ['phishingResistant'] } as const
const inHardware = { factor: 'possession', traits: ['phishingResistant', 'hardwareProtection'] } as const

/** Okta's levels of assurance (`acr_values`), the weakest first. */
const levels: ReadonlyMap<string, Level> = new Map<string, Level>([
  ['urn:okta:loa:1fa:any', { isReached: () => true, raise: (demand) => demand }],
  [
    'urn:okta:loa:2fa:any:ifpossible',
    { isReached: () => true, raise: (demand, canProveTwo) => (canProveTwo ? two(demand) : demand) },
  ],
  [
    'urn:okta:loa:1fa:pwd',
    {
      isReached: ({ amr }) => amr.includes('pwd'),
      raise: (demand) => also(demand, { types: ['password'], traits: [] }),
    },
  ],
  ['urn:okta:loa:2fa:any', { isReached: ({ amr }) => amr.includes('mfa'), raise: two }],
  [
    'phr',
    {
      isReached: ({ traits = [] }) => traits.includes('phishingResistant'),
      raise: (demand) => also(anew(demand), resistant),
    },
  ],
  [
    'phrh',
    {
      isReached: ({ traits = [] }) =>
        traits.includes('phishingResistant') && traits.includes('hardwareProtection'),
      raise: (demand) => also(anew(demand), inHardware),
    },
  ],
])

/** The levels that are known here of those that were asked for, each once: others can never be reached. */
export const knownLevels = (acrValues: string | undefined): string | undefined =>
  [...new Set(acrValues?.split(' ') ?? [])].filter((value) => levels.has(value)).join(' ') || undefined

/** The first requested level that a sign-in has reached; undefined where none was asked for or reached. */
export const reachedLevel = (acrValues: string | undefined, reached: Reached): string | undefined =>
  acrValues?.split(' ').find((value) => levels.get(value)?.isReached(reached) === true)

/** What an app wishes of one sign-in, besides what its policy demands. */
export interface Wish {
  /** The known levels of assurance, separated by blanks. */
  readonly acrValues?: string | undefined
  /** How old a proof may be, in seconds; 0: made in this transaction. */
  readonly maxAge?: number | undefined
}

/**
 * The stricter of what a policy demands and what an app wishes. Of several levels any one will do (OpenID Connect Core 1.0, section 3.1.2.1),
 * so the weakest of them counts.
 * @param canProveTwo whether the user has what proves two factors: `2fa:any:ifpossible` asks for them only then.
 */
export function withWish(demand: Demand, { acrValues, maxAge }: Wish, canProveTwo: boolean): Demand {
  const wanted = new Set(acrValues?.split(' ') ?? [])
  const [level] = [...levels].flatMap(([name, one]) => (wanted.has(name) ? [one] : []))
  const raised = level?.raise(demand, canProveTwo) ?? demand
  if (maxAge === undefined) return raised
  return { ...raised, maxAge: Math.min(maxAge * 1000, raised.maxAge ?? Number.POSITIVE_INFINITY) }
}
