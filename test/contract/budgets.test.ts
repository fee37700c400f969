import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Budget, clearBudgets, roomIn, spend, spendInOrder, usedOf } from '../../src/limits/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const minute = 60_000
let number = 0
/** A budget that no other test spends. */
const fresh = (limit: number): Budget => ({ purpose: `test-${++number}`, limit, windowMs: minute })

onEachDatabase('budgets', (kind) => {
  let database: TestDatabase
  let nodes: readonly [Storage, Storage]
  beforeAll(async () => {
    database = await kind.create()
    nodes = [await openStorage({ url: database.url }), await openStorage({ url: database.url })]
    await nodes[0].migrate()
  })
  afterAll(async () => {
    for (const node of nodes) await node.close()
    await database.drop()
  })

  test('of many at once, on two nodes, exactly as many get through as the limit says', async () => {
    const budget = fresh(7)

    const spent = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (nodes[index % 2] ?? nodes[0]).transaction((tx) => spend(tx, budget, 'mary', 1000)),
      ),
    )

    expect(
      spent
        .filter(({ allowed }) => allowed)
        .map(({ left }) => left)
        .toSorted(),
    ).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(await usedOf(nodes[1].db, [{ budget, subject: 'mary' }], 1000)).toEqual([7])
  })

  test('a window begins with the first use and is over as a whole', async () => {
    const budget = fresh(2)
    const [{ db }] = nodes

    expect(await spend(db, budget, 'mary', 1000)).toEqual({ allowed: true, left: 1, resetsAt: 1000 + minute })
    expect(await spend(db, budget, 'mary', 31_000)).toEqual({
      allowed: true,
      left: 0,
      resetsAt: 1000 + minute,
    })
    expect(await spend(db, budget, 'mary', 60_999)).toEqual({
      allowed: false,
      left: 0,
      resetsAt: 1000 + minute,
    })
    expect(await spend(db, budget, 'mary', 61_000)).toEqual({
      allowed: true,
      left: 1,
      resetsAt: 61_000 + minute,
    })
  })

  test('a window that each use renews is over when it has passed without one', async () => {
    const budget = { ...fresh(2), renewed: true }
    const [{ db }] = nodes

    expect(await spend(db, budget, 'mary', 1000)).toMatchObject({ left: 1, resetsAt: 1000 + minute })
    expect(await spend(db, budget, 'mary', 60_999)).toMatchObject({ left: 0, resetsAt: 60_999 + minute })
    // What is refused, and what is free, renews nothing: a stranger who goes on keeps no user's budget spent.
    for (const now of [61_000, 120_998]) {
      expect(await spend(db, budget, 'mary', now)).toMatchObject({ allowed: false, resetsAt: 120_999 })
      expect(await roomIn(db, [{ budget, subject: 'mary' }], now)).toMatchObject([{ resetsAt: 120_999 }])
    }
    expect(await spend(db, budget, 'mary', 120_999)).toMatchObject({ allowed: true, left: 1 })
  })

  test('several are charged in their order, until one is used up: those after it are not', async () => {
    const uses = [fresh(3), fresh(1), { ...fresh(9), renewed: true }].map((budget) => ({
      budget,
      subject: 'mary',
    }))
    const charge = (now: number) => nodes[0].transaction((tx) => spendInOrder(tx, uses, now))
    const room = (left: number, resetsAt: number) => ({ allowed: true, left, resetsAt })
    const end = 1000 + minute

    expect(await charge(1000)).toEqual([room(2, end), room(0, end), room(8, end)])
    expect(await charge(2000)).toEqual([room(1, end), { allowed: false, left: 0, resetsAt: end }])
    expect(await usedOf(nodes[1].db, uses, 2000)).toEqual([2, 1, 1])

    // The windows are over: they begin anew.
    const next = end + minute
    expect(await charge(end)).toEqual([room(2, next), room(0, next), room(8, next)])

    const [, spent, last] = uses
    const more = [spent, last, spent].flatMap((use) => use ?? [])
    const refused = await nodes[0].transaction((tx) => spendInOrder(tx, more, end))
    expect(refused).toEqual([{ allowed: false, left: 0, resetsAt: next }])
    expect(await usedOf(nodes[1].db, uses, end)).toEqual([1, 1, 1])
  })

  test('of several charged at once, exactly as many get through as the least limit says', async () => {
    const uses = [fresh(30), fresh(5)].map((budget) => ({ budget, subject: 'mary' }))
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (nodes[index % 2] ?? nodes[0]).transaction((tx) => spendInOrder(tx, uses, 1000)),
      ),
    )
    expect(all.filter((spent) => spent.every(({ allowed }) => allowed))).toHaveLength(5)
    expect(await usedOf(nodes[1].db, uses, 1000)).toEqual([20, 5])
  })

  test('room is told of several budgets at once, in the order asked for, and none is taken', async () => {
    const [one, other] = [fresh(1), fresh(3)]
    const [{ db }] = nodes
    const uses = [
      { budget: other, subject: 'mary' },
      { budget: one, subject: 'mary' },
      { budget: { ...other, limit: 2 }, subject: 'mary' },
    ]
    await spend(db, other, 'mary', 1000)
    for (let time = 0; time < 3; time++) {
      expect(await roomIn(db, uses, 31_000)).toEqual([
        { allowed: true, left: 2, resetsAt: 1000 + minute },
        { allowed: true, left: 1, resetsAt: 31_000 + minute },
        { allowed: true, left: 1, resetsAt: 1000 + minute },
      ])
    }
    expect(await spend(db, one, 'mary', 31_000)).toMatchObject({ allowed: true, left: 0 })
    await spend(db, other, 'mary', 31_000)
    expect(await roomIn(db, uses, 31_000)).toMatchObject([
      { allowed: true, left: 1 },
      { allowed: false, left: 0, resetsAt: 31_000 + minute },
      { allowed: false, left: 0 },
    ])
    // Its window is over.
    expect(await roomIn(db, uses.slice(0, 1), 61_000)).toMatchObject([{ left: 3, resetsAt: 61_000 + minute }])
    expect(await roomIn(db, [], 1000)).toEqual([])
    expect(await roomIn(db, [{ budget: fresh(0), subject: 'mary' }], 1000)).toMatchObject([
      { allowed: false },
    ])
  })

  test('room that was told stays until the transaction ends, also where nothing was counted before', async () => {
    const budget = fresh(1)
    const order: string[] = []
    const seen = Promise.withResolvers<void>()
    const looking = nodes[0].transaction(async (tx) => {
      expect(await roomIn(tx, [{ budget, subject: 'mary' }], 1000)).toMatchObject([{ allowed: true }])
      seen.resolve()
      await new Promise((resolve) => setTimeout(resolve, 100))
      order.push('looked')
    })
    await seen.promise
    await nodes[1].transaction((tx) => spend(tx, budget, 'mary', 1000))
    order.push('spent')
    await looking
    expect(order).toEqual(['looked', 'spent'])
  })

  test('what a transaction spends is spent only if it commits', async () => {
    const budget = fresh(1)
    const [node] = nodes

    const failed = node.transaction(async (tx) => {
      await spend(tx, budget, 'mary', 1000)
      throw new Error('something else went wrong')
    })

    await expect(failed).rejects.toThrow('something else')
    expect(await spend(node.db, budget, 'mary', 1000)).toMatchObject({ allowed: true })
  })

  test('budgets and people are counted apart, told in the order asked for, and forgotten together', async () => {
    const [one, other] = [fresh(5), fresh(5)]
    const [{ db }] = nodes
    const uses = [
      { budget: other, subject: 'mary' },
      { budget: one, subject: 'mary' },
      { budget: one, subject: 'eve' },
    ]
    await spend(db, one, 'mary', 1000)
    await spend(db, one, 'mary', 1000)
    await spend(db, one, 'eve', 1000)

    expect(await usedOf(db, uses, 1000)).toEqual([0, 2, 1])
    expect(await usedOf(db, uses, 1000 + minute)).toEqual([0, 0, 0])

    await clearBudgets(db, uses.slice(0, 2))
    expect(await usedOf(db, uses, 1000)).toEqual([0, 0, 1])
  })
})
