import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginningsUnder, explore, moves, movesFrom, policies } from '../../../test/support/walks.ts'
import { missesAllowed, onOffer, type View } from '../../flow/index.ts'
import { steps } from './index.ts'

const reachable = policies.map(explore)
const views = reachable.flatMap((explored) => explored.views)
const isOver = ({ stage }: View) => stage === 'granted' || stage === 'closed'
const named = ({ stage, progress }: View) => `${stage} ${JSON.stringify(progress)}`

test('the walks know every step of the table, and no other', () => {
  expect(Object.keys(moves).toSorted()).toEqual(steps.map(({ name }) => name).toSorted())
})

test('every step is taken by some walk, and every stage is reached', () => {
  const taken = new Set(reachable.flatMap((explored) => explored.moves.map(({ step }) => step.name)))
  expect([...taken, 'poll'].toSorted()).toEqual(steps.map(({ name }) => name).toSorted())
  expect(new Set(views.map(({ stage }) => stage))).toEqual(new Set(steps.flatMap((step) => step.stages)))
})

describe('whatever was answered before', () => {
  test('a remediation is shown until the conversation is over, and a way back', () => {
    for (const view of views.filter((candidate) => !isOver(candidate))) {
      const shown = onOffer(steps, view).filter((step) => step.rendered?.(view) ?? true)
      expect(
        shown.map(({ place }) => place),
        named(view),
      ).toContain('remediation')
      expect(
        shown.map(({ name }) => name),
        named(view),
      ).toContain('cancel')
    }
  })

  test('a path belongs to one step at most', () => {
    for (const view of views) {
      const paths = onOffer(steps, view).map(({ path }) => path)
      expect(new Set(paths).size, named(view)).toBe(paths.length)
    }
  })

  test('a form can be made of each step that is shown', () => {
    for (const view of views.filter((candidate) => !isOver(candidate))) {
      for (const step of onOffer(steps, view)) {
        for (const field of step.fields(view)) expect(field.options?.length, named(view)).not.toBe(0)
      }
    }
  })

  test('a recovery never goes back: no recover, no password to choose, until the password is replaced', () => {
    for (const view of views.filter(({ progress }) => progress.intent === 'recovery')) {
      const offered = onOffer(steps, view)
      expect(
        offered.map(({ name }) => name),
        named(view),
      ).not.toContain('recover')
      if (view.progress.replaced.length > 0) continue
      const options = offered.flatMap((step) => step.fields(view)).flatMap(({ options: all = [] }) => all)
      expect(
        options.map(({ authenticator }) => authenticator),
        named(view),
      ).not.toContain('okta_password')
    }
  })

  test('only a proof leads to a new password, and enough of them to the end', () => {
    for (const view of views) {
      const { progress, policy, stage } = view
      const proofs = progress.proofs.map(({ authenticator }) => authenticator)
      // A token is proof enough of whose password it is, and no factor of hers.
      const hasToken = proofs.includes('recovery_token')
      const proven = new Set(proofs.filter((key) => key !== 'recovery_token'))
      if (stage === 'reset' && !hasToken) expect(proven, named(view)).toContain('okta_email')
      if (stage === 'granted') expect(proven.size, named(view)).toBeGreaterThanOrEqual(policy.signOn.factors)
      if (progress.subject?.userId === undefined) expect(proven.size, named(view)).toBe(0)
    }
  })

  test('somebody whom nobody knows walks the same stages, but for those behind a proof', () => {
    for (const { views: all } of reachable) {
      const stagesOf = (known: boolean) =>
        new Set(
          all
            .filter(({ progress }) => progress.subject !== undefined && progress.proofs.length === 0)
            .filter(({ progress }) => (progress.subject?.userId !== undefined) === known)
            .map(({ stage, progress }) => `${progress.intent} ${stage} ${progress.challenge?.authenticator}`),
        )
      // Behind the first page of a password-first sign-in there is nobody who has proven nothing.
      expect(stagesOf(false)).toEqual(stagesOf(true))
    }
  })
})

test('a walk of any answers ends, or goes on, within the guesses that there are', () => {
  const walk = fc.record({
    beginning: fc.constantFrom(...policies.flatMap(beginningsUnder)),
    choices: fc.array(fc.nat(), { maxLength: 60 }),
  })
  fc.assert(
    fc.property(walk, ({ beginning, choices }) => {
      let view = beginning
      for (const choice of choices) {
        const possible = movesFrom(view)
        if (possible.length === 0) break
        const { to } = possible[choice % possible.length] ?? { to: view }
        expect(to.progress.misses).toBeGreaterThanOrEqual(view.progress.misses)
        expect(to.progress.proofs.length).toBeGreaterThanOrEqual(view.progress.proofs.length)
        view = to
      }
      expect(view.progress.misses).toBeLessThanOrEqual(missesAllowed)
      expect(movesFrom(view).length === 0).toBe(isOver(view))
    }),
    { numRuns: 500 },
  )
})
