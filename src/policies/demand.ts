/** What kind of thing proves it: something the user knows, has, or is (NIST SP 800-63B-4, section 2). */
export type Factor = 'knowledge' | 'possession' | 'inherence'

/** What a method is besides its factor, named as in the management API's constraints. */
export type Trait =
  | 'deviceBound'
  | 'hardwareProtection'
  | 'phishingResistant'
  | 'userPresence'
  | 'userVerification'

/** One way of using an authenticator, as on the wire: `email`, `sms`, `otp`. */
export interface Method {
  readonly type: string
  /** How a token names it (RFC 8176). */
  readonly amr: readonly string[]
}

/** What policies need to know of an authenticator: the rest stands in its folder. */
export interface AuthenticatorFacts {
  /** As on the wire: `okta_email`. */
  readonly key: string
  /** As on the wire: `email`. */
  readonly type: string
  readonly displayName: string
  /** What a proof by it counts as. A passkey that verified its user counts as two. */
  readonly factors: readonly Factor[]
  readonly traits: readonly Trait[]
  readonly methods: readonly [Method, ...Method[]]
  /**
   * Whether it may be asked for before anything has been proven. Not where the question itself (a security question,
   * the ids of passkeys) would reveal who has an account (A53).
   */
  readonly first: boolean
  /** Whether it may start a recovery: what the user lost must not be what proves the user. */
  readonly recovers: boolean
  /** Whether it may start one where a rule names its method, and only there: a code of an authenticator app. */
  readonly recoversIfNamed?: boolean
  /** Whether it is in use where no administrator has said otherwise. */
  readonly initialStatus: 'ACTIVE' | 'INACTIVE'
  /** Whether every user with an account has it, without an enrollment of its own: the mailbox of the primary address. */
  readonly implicit: boolean
}

/** One thing that must be proven. Absent members ask for nothing. */
export interface Requirement {
  readonly factor?: Factor
  readonly types?: readonly string[]
  readonly methods?: readonly string[]
  readonly authenticators?: readonly string[]
  readonly excluded?: readonly string[]
  readonly traits: readonly Trait[]
}

/** How much must be proven. */
export interface Demand {
  /** How many different factors, counted by class and never by authenticator. */
  readonly factors: 1 | 2
  /** Each a list of requirements that must all be met; one list is enough. None: anything will do. */
  readonly alternatives: readonly (readonly Requirement[])[]
}

/** What a proof says of itself. */
export interface Evidence {
  readonly authenticator: string
  readonly type: string
  readonly method: string
  readonly factors: readonly Factor[]
  readonly traits: readonly Trait[]
  /**
   * False: it may be what a policy asks for by name and adds no factor. A password that was set in the same transaction
   * by reading a mail proves no more than the mail did (A54).
   */
  readonly counts?: boolean
}

export const nothingDemanded: Demand = { factors: 1, alternatives: [] }

/** Whether one piece of evidence is what a requirement asks for. */
export const meets = (evidence: Evidence, requirement: Requirement): boolean => {
  const { factor, types = [], methods = [], authenticators = [], excluded = [], traits } = requirement
  return (
    (factor === undefined || evidence.factors.includes(factor)) &&
    (types.length === 0 || types.includes(evidence.type)) &&
    (methods.length === 0 || methods.includes(evidence.method)) &&
    (authenticators.length === 0 || authenticators.includes(evidence.authenticator)) &&
    !excluded.includes(evidence.authenticator) &&
    traits.every((trait) => evidence.traits.includes(trait))
  )
}

/** The classes of factors that evidence covers. */
export const factorsOf = (evidence: readonly Evidence[]): ReadonlySet<Factor> =>
  new Set(evidence.flatMap(({ factors, counts = true }) => (counts ? factors : [])))

const isAlternativeMet = ({ alternatives }: Demand, evidence: readonly Evidence[]): boolean =>
  alternatives.length === 0 ||
  alternatives.some((requirements) =>
    requirements.every((requirement) => evidence.some((one) => meets(one, requirement))),
  )

/** Whether the evidence is all that is demanded. */
export const isSatisfied = (demand: Demand, evidence: readonly Evidence[]): boolean =>
  factorsOf(evidence).size >= demand.factors && isAlternativeMet(demand, evidence)

/**
 * Whether evidence with one more proof is closer to the demand than before it. What the policy asks for by name comes
 * first; once that is there, another class of factor makes up the number.
 */
export function helps(demand: Demand, before: readonly Evidence[], after: readonly Evidence[]): boolean {
  if (!isAlternativeMet(demand, before)) {
    return demand.alternatives.some((requirements) =>
      requirements.some(
        (requirement) =>
          after.some((one) => meets(one, requirement)) && !before.some((one) => meets(one, requirement)),
      ),
    )
  }
  return factorsOf(after).size > factorsOf(before).size
}

/** What a right answer to this method of an authenticator would be evidence of. */
export const evidenceOf = (
  { key, type, factors, traits, methods }: AuthenticatorFacts,
  method: string = methods[0].type,
): Evidence => ({ authenticator: key, type, method, factors, traits })
