import fc from 'fast-check'
import { expect, test } from 'vitest'
import { goalOf } from './order.ts'

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 99 }).map(String), { maxLength: 9 })
/** What is there, what a document names in which order, and which of it was just made, at the end of the list. */
const cases = ids.chain((all) =>
  fc.record({
    wanted: fc.shuffledSubarray(all),
    made: fc.subarray(all),
    there: fc.constant(all),
  }),
)
const settled = ({ wanted, made, there }: { wanted: string[]; made: string[]; there: string[] }) => {
  // Only what a document names is made.
  const young = made.filter((id) => wanted.includes(id))
  const old = there.filter((id) => !young.includes(id))
  return { wanted, made: new Set(young), there: [...old, ...wanted.filter((id) => young.includes(id))] }
}

test('the goal holds what is there, in the order of the document, and leaves the rest where it was', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { wanted, made, there } = settled(drawn)
      const goal = goalOf(there, wanted, made)

      expect(goal.toSorted()).toEqual(there.toSorted())
      expect(goal.filter((id) => wanted.includes(id))).toEqual(wanted)
      const others = (list: readonly string[]) => list.filter((id) => !wanted.includes(id))
      expect(others(goal)).toEqual(others(there))
      // Among what was there before, what the document does not name keeps its very place.
      const before = there.filter((id) => !made.has(id))
      const after = goal.filter((id) => !made.has(id))
      for (const [n, id] of before.entries()) if (!wanted.includes(id)) expect(after[n]).toBe(id)
    }),
  )
})

test('what is in order already is left as it is', () => {
  fc.assert(
    fc.property(ids, (there) => {
      const wanted = there.filter((_, n) => n % 2 === 0)
      expect(goalOf(there, wanted, new Set())).toEqual(there)
    }),
  )
})

test('what was made stands behind what the document has before it', () => {
  expect(goalOf(['a', 'x', 'b', 'n'], ['a', 'n', 'b'], new Set(['n']))).toEqual(['a', 'n', 'x', 'b'])
  expect(goalOf(['x', 'a', 'n'], ['n', 'a'], new Set(['n']))).toEqual(['x', 'n', 'a'])
})
