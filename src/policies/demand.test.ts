import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import {
  type Demand,
  type Evidence,
  type Factor,
  factorsOf,
  freshIn,
  helps,
  isSatisfied,
  meets,
  type Requirement,
  type Trait,
} from './demand.ts'

const factors: readonly Factor[] = ['knowledge', 'possession', 'inherence']
const traits: readonly Trait[] = ['deviceBound', 'phishingResistant', 'userVerification']
const names = ['a', 'b', 'c', 'd'] as const

const subsetOf = <T>(all: readonly T[], minLength = 0) => fc.subarray([...all], { minLength })
const absentOr = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    authenticator: fc.constantFrom(...names),
    type: fc.constantFrom('password', 'email', 'phone'),
    method: fc.constantFrom('password', 'email', 'sms', 'voice'),
    factors: subsetOf(factors),
    traits: subsetOf(traits),
    counts: absentOr(fc.boolean()),
  })
  .map(({ counts, ...rest }) => ({ ...rest, ...(counts !== undefined && { counts }) }))
const proofs = fc.array(evidence, { maxLength: 5 })

const requirement: fc.Arbitrary<Requirement> = fc
  .record({
    factor: absentOr(fc.constantFrom(...factors)),
    types: subsetOf(['password', 'email', 'phone']),
    methods: subsetOf(['email', 'sms']),
    authenticators: subsetOf(names.map((key) => ({ key }))),
    excluded: subsetOf(names.map((key) => ({ key }))),
    traits: subsetOf(traits),
  })
  .map(({ factor, ...rest }) => ({ ...rest, ...(factor !== undefined && { factor }) }))
const demand: fc.Arbitrary<Demand> = fc.record({
  factors: fc.constantFrom(1 as const, 2 as const),
  // An empty list of requirements never gets here: `assuranceOf` makes it a demand without alternatives.
  alternatives: fc.array(fc.array(requirement, { minLength: 1, maxLength: 2 }), { maxLength: 3 }),
})

/** The same cases at every run. */
const always = { numRuns: 2000 }

describe('a demand', () => {
  test('that is satisfied stays so with more evidence, in any order', () => {
    fc.assert(
      fc.property(demand, proofs, evidence, (wanted, given, more) => {
        if (!isSatisfied(wanted, given)) return
        expect(isSatisfied(wanted, [...given, more])).toBe(true)
        expect(isSatisfied(wanted, [more, ...given.toReversed()])).toBe(true)
      }),
      always,
    )
  })

  test('counts factors by class, never by authenticator', () => {
    fc.assert(
      fc.property(proofs, evidence, fc.constantFrom(...names), (given, one, authenticator) => {
        const again: Evidence = { ...one, authenticator, type: 'other', method: 'other' }
        expect(factorsOf([...given, one, again])).toEqual(factorsOf([...given, one]))
      }),
      always,
    )
    const password: Evidence = {
      authenticator: 'a',
      type: 'password',
      method: 'password',
      factors: ['knowledge'],
      traits: [],
    }
    const twoFactors: Demand = { factors: 2, alternatives: [] }
    expect(isSatisfied(twoFactors, [password, { ...password, authenticator: 'b' }])).toBe(false)
    // A passkey that verified its user is two by itself.
    expect(isSatisfied(twoFactors, [{ ...password, factors: ['possession', 'inherence'] }])).toBe(true)
  })

  test('gets no factor from evidence that does not count (A54)', () => {
    fc.assert(
      fc.property(demand, proofs, evidence, (wanted, given, one) => {
        const added = [...given, { ...one, counts: false }]
        expect(factorsOf(added)).toEqual(factorsOf(given))
        if (factorsOf(given).size < wanted.factors) expect(isSatisfied(wanted, added)).toBe(false)
      }),
      always,
    )
  })

  test('for a trait is not satisfied by evidence without it, however much there is', () => {
    fc.assert(
      fc.property(demand, proofs, fc.constantFrom(...traits), (wanted, given, trait) => {
        fc.pre(wanted.alternatives.length > 0)
        const alternatives = wanted.alternatives.map((all) => [...all, { traits: [trait] }])
        const without = given.map((one) => ({ ...one, traits: one.traits.filter((has) => has !== trait) }))
        expect(isSatisfied({ ...wanted, alternatives }, without)).toBe(false)
      }),
      always,
    )
  })

  test('that excludes an authenticator is not satisfied by it', () => {
    fc.assert(
      fc.property(demand, proofs, fc.constantFrom(...names), (wanted, given, name) => {
        fc.pre(wanted.alternatives.length > 0)
        const alternatives = wanted.alternatives.map((all) =>
          all.map((one) => ({ ...one, excluded: [...(one.excluded ?? []), { key: name }] })),
        )
        const excluding = { ...wanted, alternatives }
        const others = given.filter(({ authenticator }) => authenticator !== name)
        // What is excluded may be another factor, but meets no requirement.
        const isMet = isSatisfied({ ...excluding, factors: 1 }, given)
        const byOthers = alternatives.some((all) => all.every((r) => others.some((one) => meets(one, r))))
        if (isMet) expect(byOthers).toBe(true)
      }),
      always,
    )
  })
})

describe('what helps', () => {
  test('leads to what is demanded, whichever of it is proven first: no dead end where there is a way', () => {
    const cases = fc.record({
      wanted: demand,
      has: proofs,
      choices: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
    })
    let ways = 0
    fc.assert(
      fc.property(cases, ({ wanted, has, choices }) => {
        if (!isSatisfied(wanted, has)) return
        ways += 1
        let given: readonly Evidence[] = []
        for (const choice of choices) {
          if (isSatisfied(wanted, given)) break
          const helping = has.filter((one) => !given.includes(one) && helps(wanted, given, [...given, one]))
          const chosen = helping[choice % helping.length]
          if (chosen === undefined) expect.fail('nothing helps, and more would satisfy the demand')
          given = [...given, chosen]
        }
        expect(isSatisfied(wanted, given)).toBe(true)
      }),
      always,
    )
    expect(ways).toBeGreaterThan(200)
  })

  test('is nothing that adds nothing', () => {
    fc.assert(
      fc.property(demand, proofs, (wanted, given) => {
        expect(helps(wanted, given, given)).toBe(false)
        expect(helps(wanted, given, [...given, ...given])).toBe(false)
      }),
      always,
    )
  })

  test('is what is asked for by name first, then another factor', () => {
    const of = (type: string, factor: Factor): Evidence => ({
      authenticator: type,
      type,
      method: type,
      factors: [factor],
      traits: [],
    })
    const password = of('password', 'knowledge')
    const email = of('email', 'possession')
    const wanted: Demand = { factors: 2, alternatives: [[{ types: ['password'], traits: [] }]] }

    expect(helps(wanted, [], [email])).toBe(false)
    expect(helps(wanted, [], [password])).toBe(true)
    expect(helps(wanted, [password], [password, email])).toBe(true)
    expect(helps(wanted, [password], [password, of('question', 'knowledge')])).toBe(false)
  })
})

describe('the age of evidence', () => {
  const aged = fc
    .tuple(proofs, fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 5, maxLength: 5 }))
    .map(([given, times]) => given.map((one, index) => ({ ...one, at: times[index] ?? 0 })))
  const limits = fc.integer({ min: 1, max: 1000 })

  test('satisfies now what it satisfies later: time alone brings no demand closer', () => {
    fc.assert(
      fc.property(demand, aged, limits, limits, (wanted, given, maxAge, passed) => {
        const limited = { ...wanted, maxAge }
        if (isSatisfied(limited, given, 1000 + passed)) expect(isSatisfied(limited, given, 1000)).toBe(true)
        if (isSatisfied(limited, given, 1000)) expect(isSatisfied(wanted, given, 1000)).toBe(true)
        // What is too old is as good as not there.
        const fresh = given.filter(({ at }) => 1000 - at <= maxAge)
        expect(isSatisfied(limited, given, 1000)).toBe(isSatisfied(wanted, fresh, 1000))
      }),
      always,
    )
  })

  test('of a remembered device counts only where the demand says so, and never for proofs of this transaction (A78)', () => {
    fc.assert(
      fc.property(demand, aged, aged, limits, (wanted, given, before, goodFor) => {
        const remembered = before.map((one) => ({ ...one, remembered: true as const }))
        const all = [...given, ...remembered]
        expect(isSatisfied(wanted, all, 1000)).toBe(isSatisfied(wanted, given, 1000))
        const remembering = { ...wanted, remembered: { factors: goodFor, alternatives: goodFor } }
        const good = remembered.filter(({ at }) => 1000 - at <= goodFor)
        expect(isSatisfied(remembering, all, 1000)).toBe(
          isSatisfied(wanted, [...given, ...good.map(({ remembered: _, ...one }) => one)], 1000),
        )
        const anew = { ...remembering, maxAge: 0 }
        expect(isSatisfied(anew, all, 1000)).toBe(isSatisfied(wanted, given, 1000))
      }),
      always,
    )
  })

  test("that a browser's session carries counts by its age, and not where a proof of now is asked for (A74)", () => {
    fc.assert(
      fc.property(demand, aged, aged, limits, (wanted, given, before, maxAge) => {
        const carried = before.map((one) => ({ ...one, carried: true as const }))
        const all = [...given, ...carried]
        expect(isSatisfied({ ...wanted, maxAge }, all, 1000)).toBe(
          isSatisfied({ ...wanted, maxAge }, [...given, ...before], 1000),
        )
        expect(isSatisfied({ ...wanted, maxAge: 0 }, all, 1000)).toBe(isSatisfied(wanted, given, 1000))
        expect(freshIn({ ...wanted, maxAge: 0 }, all, 1000)).toEqual(given)
      }),
      always,
    )
  })

  test('of this transaction is limited by an age beside the 0 of another requirement', () => {
    const password = { factor: 'knowledge', traits: [] } as const
    const wanted: Demand = { factors: 1, maxAge: 0, alternatives: [[{ ...password, maxAge: 300 }]] }
    const proof: Evidence = {
      ...{ authenticator: 'okta_password', type: 'password', method: 'password', traits: [] },
      ...{ factors: ['knowledge'], at: 100 },
    }
    expect(freshIn(wanted, [proof], 300)).toEqual([proof])
    expect(freshIn(wanted, [proof], 500)).toEqual([])
    expect(freshIn(wanted, [{ ...proof, carried: true }], 300)).toEqual([])
  })
})

describe('a requirement', () => {
  const passkey: Evidence = {
    authenticator: 'webauthn',
    type: 'security_key',
    method: 'webauthn',
    factors: ['possession', 'inherence'],
    traits: ['phishingResistant', 'userVerification'],
  }

  test.each<readonly [what: string, Requirement, met: boolean]>([
    ['nothing', { traits: [] }, true],
    ['its factor', { factor: 'inherence', traits: [] }, true],
    ['another factor', { factor: 'knowledge', traits: [] }, false],
    ['its type', { types: ['email', 'security_key'], traits: [] }, true],
    ['another type', { types: ['email'], traits: [] }, false],
    ['its method', { methods: ['webauthn'], traits: [] }, true],
    ['another method', { methods: ['otp'], traits: [] }, false],
    ['it by name', { authenticators: [{ key: 'webauthn' }], traits: [] }, true],
    ['another by name', { authenticators: [{ key: 'okta_email' }], traits: [] }, false],
    ['any but it', { excluded: [{ key: 'webauthn' }], traits: [] }, false],
    ['any but another', { excluded: [{ key: 'okta_email' }], traits: [] }, true],
    ['traits that it has', { traits: ['phishingResistant', 'userVerification'] }, true],
    ['a trait that it has not', { traits: ['phishingResistant', 'hardwareProtection'] }, false],
  ])('for %s', (_, asked, met) => {
    expect(meets(passkey, asked)).toBe(met)
  })
})
