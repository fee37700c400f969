import { expect, test } from 'vitest'
import { fc } from '../../../test/support/draws.ts'
import { wantedOrder } from './order.ts'

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 99 }).map(String), { maxLength: 9 })
/** What is present, what a document lists in which order, and what was just created, at the end of the list. */
const cases = ids.chain((all) =>
  fc.record({
    wanted: fc.shuffledSubarray(all),
    created: fc.subarray(all),
    present: fc.constant(all),
  }),
)
const normalized = ({
  wanted,
  created,
  present,
}: {
  wanted: string[]
  created: string[]
  present: string[]
}) => {
  // Only what a document lists is created.
  const fresh = created.filter((id) => wanted.includes(id))
  const old = present.filter((id) => !fresh.includes(id))
  return { wanted, created: new Set(fresh), present: [...old, ...wanted.filter((id) => fresh.includes(id))] }
}

test('the order contains what is present, follows the document, and leaves the rest where it was', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { wanted, created, present } = normalized(drawn)
      const order = wantedOrder(present, wanted, created)

      expect(order.toSorted()).toEqual(present.toSorted())
      expect(order.filter((id) => wanted.includes(id))).toEqual(wanted)
      const others = (list: readonly string[]) => list.filter((id) => !wanted.includes(id))
      expect(others(order)).toEqual(others(present))
      // Among what was present before, what the document does not list keeps its position.
      const before = present.filter((id) => !created.has(id))
      const after = order.filter((id) => !created.has(id))
      for (const [n, id] of before.entries()) if (!wanted.includes(id)) expect(after[n]).toBe(id)
    }),
  )
})

test('a list that is in order is not changed', () => {
  fc.assert(
    fc.property(ids, (present) => {
      const wanted = present.filter((_, n) => n % 2 === 0)
      expect(wantedOrder(present, wanted, new Set())).toEqual(present)
    }),
  )
})

test('a new item is placed after its predecessor in the document', () => {
  expect(wantedOrder(['a', 'x', 'b', 'n'], ['a', 'n', 'b'], new Set(['n']))).toEqual(['a', 'n', 'x', 'b'])
  expect(wantedOrder(['x', 'a', 'n'], ['n', 'a'], new Set(['n']))).toEqual(['x', 'n', 'a'])
})
