import { describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/draws.ts'
import {
  authenticators,
  beginningsIn,
  explore,
  exploreAll,
  movesFrom,
  type State,
  stateOf,
  steps,
} from '../../../test/support/walks.ts'
import { policyWith, worldOf, worlds } from '../../../test/support/worlds.ts'
import {
  authenticatorId,
  ended,
  type Field,
  missesAllowed,
  onOffer,
  recoveryToken,
  type View,
} from '../../flow/index.ts'
import { evidenceOf, factorsOf, isSatisfied } from '../../policies/index.ts'

const explored = await exploreAll()
const moves = explored.flatMap((one) => one.moves)
const states = explored.flatMap((one) => one.states)
const open = states.filter(({ view }) => view.stage !== 'closed')
const named = ({ world, progress, view }: State) => JSON.stringify([view.stage, progress, world])
const shown = (view: View) => onOffer(steps, view).filter((step) => step.rendered?.(view) ?? true)
const isKnown = ({ progress }: State) => progress.subject?.userId !== undefined
const provenBy = ({ progress }: State) => new Set(progress.proofs.map(({ authenticator }) => authenticator))

test('every step is taken by some walk, and every stage at which a step is on offer is reached', () => {
  // A signature is not made by filling in a form: test/wire/passkeys.test.ts takes the steps that passkeys bring.
  // What begins with a mailed link that has expired begins with no form either: test/attacks/activation.test.ts.
  // Nor does what a browser’s request to `authorize` brings: test/journeys/consent.test.ts.
  const elsewhere = ['challenge/answer/webauthn-autofillui', 'request-activation', 'consent']
  const walked = steps.filter(({ path }) => !elsewhere.includes(path))
  expect(new Set(moves.map(({ step }) => step.name))).toEqual(new Set(walked.map(({ name }) => name)))
  expect(new Set([...states.map(({ view }) => view.stage), ...moves.map(({ leadsTo }) => leadsTo)])).toEqual(
    new Set(
      walked
        .flatMap((step) => step.stages)
        .filter((stage) => stage !== 'request-activation' && stage !== 'consent'),
    ),
  )
})

describe('what is shown is what is accepted', () => {
  test('a form that is shown and filled in is never answered as a request that is not one', () => {
    // The answers of the walks are the forms as they are shown, filled in.
    expect(moves.filter(({ refusal }) => refusal?.key === 'E0000020')).toEqual([])
  })

  test('until it is over a transaction shows a remediation, and a way back', () => {
    const isComplete = ({ view }: State) => {
      const offered = shown(view)
      return (
        offered.some(({ place }) => place === 'remediation') && offered.some(({ name }) => name === 'cancel')
      )
    }
    expect(open.filter((state) => !isComplete(state)).map(named)).toEqual([])
  })

  test('when it is over nothing is accepted but to ask how it ended', () => {
    const over = states.filter(({ view }) => view.stage === 'closed')
    const accepted = over.flatMap(({ view }) => onOffer(steps, view).map(({ name }) => name))
    expect(new Set(accepted)).toEqual(new Set(['poll']))
  })

  test('steps that share a path at a stage take an answer in the same way', () => {
    const isShared = ({ view }: State) =>
      [...Map.groupBy(onOffer(steps, view), ({ path }) => path).values()].every(
        (sharing) => new Set(sharing.map(({ accept }) => accept)).size === 1,
      )
    expect(open.filter((state) => !isShared(state)).map(named)).toEqual([])
  })

  test('no form asks for a choice of nothing', () => {
    const hasChoice = (field: Field): boolean =>
      field.options?.length !== 0 && (field.fields ?? []).every(hasChoice)
    const isFull = ({ view }: State) =>
      onOffer(steps, view).every((step) => step.fields(view).every(hasChoice))
    expect(open.filter((state) => !isFull(state)).map(named)).toEqual([])
  })
})

describe('a recovery', () => {
  const recoveries = open.filter(({ progress }) => progress.intent === 'recovery')

  test('never goes back: no recover, no sign-in, no password to choose until it is replaced', () => {
    expect(recoveries.length).toBeGreaterThan(100)
    const goesBack = ({ view, progress }: State) => {
      const offered = onOffer(steps, view)
      const options = offered.flatMap((step) => step.fields(view)).flatMap((field) => field.options ?? [])
      const offersPassword = options.some(({ authenticator }) => authenticator === 'okta_password')
      return (
        offered.some(({ name }) => name === 'recover') || (offersPassword && progress.replaced.length === 0)
      )
    }
    expect(recoveries.filter(goesBack).map(named)).toEqual([])
    const left = moves.filter(
      ({ from, to }) => from.progress.intent === 'recovery' && to.progress.intent !== 'recovery',
    )
    expect(left.map(({ to }) => named(to))).toEqual([])
  })

  test('gets to a new password by a proof that may start one', () => {
    for (const state of states.filter(({ view }) => view.stage === 'reset')) {
      const proofs = [...provenBy(state)]
      const { recovery } = state.world.policy
      const starts = [recoveryToken, ...recovery.authenticators]
      expect(
        proofs.some((key) => starts.includes(key)),
        named(state),
      ).toBe(true)
      if (recovery.secondFactor === 'required' && recovery.authenticators.length > 0) {
        expect(proofs.length, named(state)).toBeGreaterThan(1)
      }
    }
  })
})

describe('an unlock', () => {
  const unlocks = moves.filter(({ leadsTo }) => leadsTo === 'unlocked')

  test('needs the proofs that the policy asks for, one of which may begin it', () => {
    expect(unlocks.length).toBeGreaterThan(5)
    for (const { from, to } of unlocks) {
      const { recovery, unlock } = from.world.policy
      const proofs = [...from.progress.proofs.map(({ authenticator }) => authenticator)]
      const last = from.progress.challenge?.authenticator ?? ''
      expect(
        [...proofs, last].some((key) => unlock.authenticators.includes(key)),
        named(to),
      ).toBe(true)
      if (recovery.secondFactor === 'required') expect(proofs.length, named(to)).toBeGreaterThan(0)
    }
  })

  test('opens a locked account and no other, sets nothing, and signs no user in', () => {
    for (const { from, to, amr } of unlocks) {
      expect(from.person.status === 'SUSPENDED', named(from)).toBe(false)
      expect(to.person.status, named(to)).toBe('ACTIVE')
      const secretsOf = ({ enrollments }: State) => enrollments.map(({ data }) => data)
      expect([amr, to.progress.replaced, secretsOf(to)], named(to)).toEqual([undefined, [], secretsOf(from)])
      expect(to.progress.closed === 'unlocked' || to.progress.proofs.length === 0, named(to)).toBe(true)
    }
  })

  test('writes to locked users alone', () => {
    const mailed = moves.filter(
      ({ from, to }) =>
        to.progress.intent === 'unlock' && to.mailed !== undefined && to.mailed !== from.mailed,
    )
    expect(mailed.length).toBeGreaterThan(5)
    expect(new Set(mailed.map(({ to }) => to.person.status))).toEqual(new Set(['LOCKED_OUT']))
  })

  test('is offered on the first page to every name, where some policy allows it, and nowhere else', () => {
    const offers = open.filter(({ view }) =>
      onOffer(steps, view).some(({ name }) => name === 'unlock-account'),
    )
    const first = open.filter(
      ({ view, world: { policy, everyone = policy } }) =>
        view.stage === 'identify' &&
        [policy, everyone].some(({ unlock }) => unlock.authenticators.length > 0),
    )
    expect(offers).toEqual(first)
    expect(first.length).toBeGreaterThan(3)
  })
})

describe('a proof', () => {
  test('is the only way to a new password, an enrolment and a sign-in', () => {
    const behind = ['reset', 'reenroll', 'select-enroll', 'enroll-data', 'enroll', 'granted', 'recovered']
    const unproven = moves.filter(
      // A new user has nothing to prove: what is enrolled first is the proof, and signs in.
      ({ to, leadsTo }) =>
        behind.includes(leadsTo) &&
        to.progress.proofs.length === 0 &&
        (to.progress.intent !== 'registration' || leadsTo === 'granted'),
    )
    expect(unproven.map(({ to }) => named(to))).toEqual([])
  })

  test('is none of an unknown user', () => {
    const unknown = states.filter((state) => !isKnown(state) && state.progress.proofs.length > 0)
    expect(unknown.map(named)).toEqual([])
  })

  test('is followed by others until the demand of the app is met, by factors that are different', () => {
    const granted = moves.filter(({ leadsTo }) => leadsTo === 'granted')
    expect(granted.length).toBeGreaterThan(100)
    for (const { to } of granted) {
      const { demand } = to.world.policy.signOn
      const { proofs, replaced } = to.progress
      const set = replaced.flatMap((key) => {
        const authenticator = authenticators.get(key)
        const isProven = proofs.some((proof) => proof.authenticator === key)
        return authenticator && !isProven ? [{ ...authenticator, authenticator: key, method: '' }] : []
      })
      expect(isSatisfied(demand, [...proofs, ...set]), named(to)).toBe(true)
      // A password that the mailbox set is no factor besides the mailbox.
      const independent = proofs.some(
        ({ authenticator }) => authenticators.get(authenticator)?.recovers === false,
      )
      if (demand.factors > 1 && !independent) expect.fail(named(to))
      expect(factorsOf(proofs).size + set.length, named(to)).toBeGreaterThanOrEqual(demand.factors)
    }
  })

  test('is asked for wherever a user who has what is demanded gets so far', () => {
    const welcome = explored.filter(
      ({ world: { user, assigned, policy, everyone, spent } }) =>
        user.status === 'ACTIVE' && assigned && policy.signOn.access === 'ALLOW' && !everyone && !spent,
    )
    for (const { world, moves: all } of welcome) {
      const { user, policy } = world
      const { demand, authenticators: usable } = policy.signOn
      const has = ['okta_email', ...(user.has ?? [])]
      const isOneFactor = policy.recovery.countsAsOneFactor && user.passwordSetBy !== undefined
      if (!isOneFactor) has.push('okta_password')
      const evidence = has.flatMap((key) => {
        const authenticator = usable.includes(key) ? authenticators.get(key) : undefined
        return authenticator ? [evidenceOf(authenticator)] : []
      })
      if (!isSatisfied(demand, evidence)) continue
      expect(
        all.some(({ leadsTo }) => leadsTo === 'granted'),
        JSON.stringify(world),
      ).toBe(true)
    }
  })
})

test('a token says mfa only where something was proven that the mailbox could not have set', () => {
  const withTwo = moves.filter(({ amr }) => amr?.includes('mfa'))
  expect(withTwo.length).toBeGreaterThan(0)
  for (const { to } of withTwo) {
    // A password that had expired was proven before another took its place.
    const others = to.progress.proofs.filter(
      ({ authenticator, setBy }) =>
        authenticators.get(authenticator)?.recovers === false && setBy === undefined,
    )
    expect(others.length, named(to)).toBeGreaterThan(0)
  }
})

test('a token says nothing of a password that the mailbox alone has set in this transaction (A54)', () => {
  const byMail = moves.filter(
    ({ amr, to }) =>
      amr !== undefined &&
      to.progress.intent === 'recovery' &&
      to.progress.proofs.every(({ authenticator }) => authenticator === 'okta_email'),
  )
  expect(byMail.length).toBeGreaterThan(0)
  expect(new Set(byMail.map(({ amr }) => amr?.join()))).toEqual(new Set(['otp']))
})

describe('an unknown user', () => {
  test('walks the same stages as any other, but for those behind a proof', () => {
    // An unlock that goes on to the sign-in brings a user behind a proof to it with nothing proven there.
    for (const { world, states: all } of explored.filter(
      ({ world: { policy } }) => !policy.unlock.continues,
    )) {
      const stagesOf = (known: boolean) =>
        new Set(
          all
            .filter(({ progress }) => progress.subject !== undefined && progress.proofs.length === 0)
            // The user of a registration is not there before a proof, whatever address was typed.
            .filter(({ progress }) => progress.intent !== 'registration')
            .filter((state) => isKnown(state) === known)
            .map(
              ({ view, progress }) => `${progress.intent} ${view.stage} ${progress.challenge?.authenticator}`,
            ),
        )
      expect(stagesOf(false), JSON.stringify(world)).toEqual(stagesOf(true))
    }
  })

  test('is shown the same forms, and so is a user whose transaction was ended', () => {
    const formsOf = ({ view }: State) =>
      JSON.stringify([
        shown(view).map((step) => [step.name, step.fields(view), step.refresh?.(view)]),
        [...authenticators.values()].map(({ challenge }) => challenge?.profile?.(view, undefined)),
      ])
    for (const state of open.filter((one) => isKnown(one) && one.progress.proofs.length === 0)) {
      const decoy = stateOf({ ...state, progress: ended(state.progress) })
      expect(decoy.progress.decoy).toBe(true)
      expect(formsOf(decoy), named(state)).toBe(formsOf(state))
    }
  })
})

describe('an enrolment', () => {
  test('is declined only where none of it is required and the demand is met', () => {
    const declined = moves.filter(({ step }) => step.name === 'skip')
    expect(declined.length).toBeGreaterThan(0)
    for (const { from } of declined) {
      const open = from.view.enrollable.map(({ key }) => key)
      const required = from.world.policy.enrollment.filter((one) => one.required).map(({ key }) => key)
      expect(open.filter((key) => required.includes(key))).toEqual([])
      expect(isSatisfied(from.world.policy.signOn.demand, from.progress.proofs), named(from)).toBe(true)
    }
  })

  test('that is required is asked for before a sign-in ends', () => {
    for (const { to } of moves.filter(({ leadsTo }) => leadsTo === 'granted')) {
      const has = to.enrollments.map(({ authenticator }) => authenticator)
      for (const { key, required } of to.world.policy.enrollment)
        if (required) expect(has, named(to)).toContain(key)
    }
  })

  test('is offered of what the policy names, and of nothing else', () => {
    const ids = new Map([...authenticators.keys()].map((key) => [authenticatorId(key), key]))
    expect(ids.size).toBe(authenticators.size)
    for (const { view, world } of open) {
      for (const { key } of view.enrollable) {
        // Besides, a new user enrols the mailbox and a password.
        const named = [
          ...world.policy.enrollment.map((one) => one.key),
          ...(view.progress.intent === 'registration' ? ['okta_email', 'okta_password'] : []),
        ]
        expect(named).toContain(key)
      }
    }
  })
})

describe('the guards of an answer', () => {
  // As docs/flow.md lists them: of the source, of the name as typed, of the account, its lockout, of all together.
  const order = [
    'spray-per-minute',
    'spray-per-hour',
    'spray-under-attack',
    'passwords-by-name',
    'codes-per-day',
    'codes-until-success',
    'otp-per-day-by-source',
    'otp-per-day',
    'otp-until-success-by-source',
    'otp-until-success',
    'passwords-per-hour-by-source',
    'passwords-per-hour',
    'lockout',
    'spray-everywhere',
  ]

  test('stand in one order', () => {
    const judged = moves.filter(({ charges }) => charges.some((purpose) => order.includes(purpose)))
    expect(new Set(judged.flatMap(({ charges }) => charges)).size).toBeGreaterThan(7)
    for (const { charges } of judged) {
      const places = charges.map((purpose) => order.indexOf(purpose))
      expect(places, charges.join()).toEqual(places.toSorted((one, other) => one - other))
    }
  })

  test.each(['passwords-per-hour-by-source', 'passwords-per-hour'])(
    'are asked before access: where %s is spent a right answer shows no status',
    async (spent) => {
      const policy = policyWith({ signOn: { access: 'DENY' } })
      const { moves: all } = await explore(worldOf(policy, { status: 'SUSPENDED' }, { spent: [spent] }))
      const judged = all.filter(({ charges }) => charges.includes(spent))
      expect(judged.length).toBeGreaterThan(0)
      for (const { from, to, refusal } of judged) {
        expect(refusal?.key).not.toMatch(/denied|not.allowed/)
        expect(to.progress.misses).toBe(from.progress.misses + 1)
      }
    },
  )
})

test('a walk of any answers ends, or goes on, within the guesses that there are', async () => {
  const walk = fc.record({
    beginning: fc.constantFrom(...worlds.flatMap(beginningsIn)),
    choices: fc.array(fc.nat(), { maxLength: 25 }),
  })
  await fc.assert(
    fc.asyncProperty(walk, async ({ beginning, choices }) => {
      let state = beginning
      for (const choice of choices) {
        const possible = await movesFrom(state)
        if (possible.length === 0) break
        const { to } = possible[choice % possible.length] ?? { to: state }
        expect(to.progress.misses).toBeGreaterThanOrEqual(state.progress.misses)
        // Only an app that lets the user in no further forgets who it was.
        if (to.progress.subject !== undefined) {
          expect(to.progress.proofs.length).toBeGreaterThanOrEqual(state.progress.proofs.length)
        }
        state = to
      }
      expect(state.progress.misses).toBeLessThanOrEqual(missesAllowed)
    }),
    { numRuns: 100 },
  )
})
