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
  /** Another system would have to finish its enrolment, and none does: it is never required. Absent: it is finished here. */
  readonly finishedElsewhere?: true
}

/** An authenticator by its key, or one method of it. */
export interface NamedMethod {
  readonly key: string
  readonly method?: string
  /** What its proof must have besides. Absent: nothing. */
  readonly traits?: readonly Trait[]
}

/** One thing that must be proven. Absent members ask for nothing. */
export interface Requirement {
  readonly factor?: Factor
  readonly types?: readonly string[]
  readonly methods?: readonly string[]
  readonly authenticators?: readonly NamedMethod[]
  readonly excluded?: readonly NamedMethod[]
  readonly traits: readonly Trait[]
  /** How old a proof may be, in milliseconds; 0: made in this transaction. Absent: any age. */
  readonly maxAge?: number
}

/** How much must be proven. */
export interface Demand {
  /** How many different factors, counted by class and never by authenticator. */
  readonly factors: 1 | 2
  /** Each a list of requirements that must all be met; one list is enough. None: anything will do. */
  readonly alternatives: readonly (readonly Requirement[])[]
  /** How old every proof may be, in milliseconds; 0: made in this transaction. Absent: any age. */
  readonly maxAge?: number
  /**
   * Any second authenticator makes up the number, even one of the same class: the rule names the password and leaves the
   * other open, for which users of Okta expect a security question to do. Claims still count classes alone (A54).
   */
  readonly anySecond?: true
  /**
   * For how long what a remembered device proved at an earlier sign-in goes on counting, in milliseconds: towards the
   * number of factors, and towards the alternatives. Absent: it does not count (A78).
   */
  readonly remembered?: { readonly factors?: number; readonly alternatives?: number }
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
  /** When it was proven, in epoch milliseconds; absent: now. */
  readonly at?: number
  /** True: it was proven in an earlier sign-in from a device that the engine remembers. */
  readonly remembered?: true
  /** True: it was proven in an earlier sign-in of the browser, whose session carries it into this one. */
  readonly carried?: true
}

export const nothingDemanded: Demand = { factors: 1, alternatives: [] }

/** Whether one piece of evidence is what a requirement asks for. */
export const meets = (evidence: Evidence, requirement: Requirement): boolean => {
  const { factor, types = [], methods = [], authenticators = [], excluded = [], traits } = requirement
  return (
    (factor === undefined || evidence.factors.includes(factor)) &&
    (types.length === 0 || types.includes(evidence.type)) &&
    (methods.length === 0 || methods.includes(evidence.method)) &&
    (authenticators.length === 0 || authenticators.some((one) => isNamed(evidence, one))) &&
    !excluded.some((one) => isNamed(evidence, one)) &&
    traits.every((trait) => evidence.traits.includes(trait))
  )
}

const isNamed = (evidence: Evidence, { key, method, traits = [] }: NamedMethod): boolean =>
  evidence.authenticator === key &&
  (method === undefined || evidence.method === method) &&
  traits.every((trait) => evidence.traits.includes(trait))

/** The classes of factors that evidence covers. */
export const factorsOf = (evidence: readonly Evidence[]): ReadonlySet<Factor> =>
  new Set(evidence.flatMap(({ factors, counts = true }) => (counts ? factors : [])))

/** Whether evidence is young enough. What was proven in this transaction is good for a maximum age of 0, and nothing else is (A74). */
const isFresh = (one: Evidence, maxAge: number | undefined, now: number): boolean =>
  one.at === undefined || maxAge === undefined || (maxAge === 0 ? isOfNow(one) : now - one.at <= maxAge)

/** Whether evidence was proven in this transaction: neither remembered of a device nor carried by the session of a browser. */
export const isOfNow = ({ remembered, carried }: Evidence): boolean => remembered !== true && carried !== true

/** What of the evidence counts at a moment towards the number of factors, or towards the alternatives. */
const countingFor = (
  { maxAge, remembered = {} }: Demand,
  towards: 'factors' | 'alternatives',
  evidence: readonly Evidence[],
  now: number,
): readonly Evidence[] =>
  evidence.filter((one) => {
    if (!isFresh(one, maxAge, now)) return false
    const goodFor = remembered[towards]
    return one.remembered !== true || (goodFor !== undefined && isFresh(one, goodFor, now))
  })

/** What of the evidence is young enough for a demand: the rest is proven again. */
export const freshIn = (
  demand: Demand,
  evidence: readonly Evidence[],
  now = latest(evidence),
): readonly Evidence[] =>
  evidence.filter((one) => maxAgesFor(demand, one).every((maxAge) => isFresh(one, maxAge, now)))

/** The maximum ages that a demand has for this evidence: 0 is none of the others, as it asks for more than an age. */
function maxAgesFor({ maxAge, alternatives }: Demand, one: Evidence): readonly (number | undefined)[] {
  const matching = alternatives.flat().filter((requirement) => meets(one, requirement))
  return [maxAge, ...matching.map((requirement) => requirement.maxAge)]
}

const latest = (evidence: readonly Evidence[]): number => Math.max(0, ...evidence.map(({ at = 0 }) => at))

const meetsNow = (one: Evidence, requirement: Requirement, now: number): boolean =>
  meets(one, requirement) && isFresh(one, requirement.maxAge, now)

function isAlternativeMet(demand: Demand, evidence: readonly Evidence[], now: number): boolean {
  const counting = countingFor(demand, 'alternatives', evidence, now)
  return (
    demand.alternatives.length === 0 ||
    demand.alternatives.some((requirements) =>
      requirements.every((requirement) => counting.some((one) => meetsNow(one, requirement, now))),
    )
  )
}

/** How many factors the evidence is, as the demand counts them. */
function countIn(demand: Demand, evidence: readonly Evidence[], now: number): number {
  const counting = countingFor(demand, 'factors', evidence, now)
  const classes = factorsOf(counting).size
  if (demand.anySecond !== true) return classes
  const authenticators = counting.flatMap(({ authenticator, factors, counts = true }) =>
    counts && factors.length > 0 ? [authenticator] : [],
  )
  return Math.max(classes, new Set(authenticators).size)
}

/**
 * Whether the evidence is all that is demanded at a moment. A pure function of the three; without `now` it is the moment of the latest
 * evidence.
 */
export const isSatisfied = (demand: Demand, evidence: readonly Evidence[], now = latest(evidence)): boolean =>
  countIn(demand, evidence, now) >= demand.factors && isAlternativeMet(demand, evidence, now)

/**
 * Whether evidence with one more proof is closer to the demand than before it. What the policy asks for by name comes
 * first; once that is there, another factor makes up the number.
 */
export function helps(
  demand: Demand,
  before: readonly Evidence[],
  after: readonly Evidence[],
  now = latest(after),
): boolean {
  if (!isAlternativeMet(demand, before, now)) {
    const [had, has] = [before, after].map((all) => countingFor(demand, 'alternatives', all, now))
    return demand.alternatives.some((requirements) =>
      requirements.some(
        (requirement) =>
          has?.some((one) => meetsNow(one, requirement, now)) &&
          !had?.some((one) => meetsNow(one, requirement, now)),
      ),
    )
  }
  return countIn(demand, after, now) > countIn(demand, before, now)
}

/** What a right answer to this method of an authenticator would be evidence of. */
export const evidenceOf = (
  { key, type, factors, traits, methods }: AuthenticatorFacts,
  method: string = methods[0].type,
): Evidence => ({ authenticator: key, type, method, factors, traits })
