import { expect, test } from 'vitest'
import { createHashQueue } from './queue.ts'

/** Work that ends when the test says so. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

test('one entry of a source waits for one of another source, not for all of them', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 1000, waitMs: 5000 })
  const order: string[] = []
  const first = held()
  const flood = [queue.take(first.work, 20, { source: 'a' })]
  for (let entry = 0; entry < 100; entry++) {
    flood.push(queue.take(async () => void order.push('a'), 20, { source: 'a' }))
  }
  const own = queue.take(async () => void order.push('b'), 20, { source: 'b' })
  first.end()
  await Promise.all([...flood, own])
  expect(order.indexOf('b')).toBeLessThan(2)
  expect(queue.load()).toMatchObject({ running: 0, waiting: 0, computed: 102 })
})

test('a dear hash counts for what it costs: its source waits until the others have had as much', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 1000, waitMs: 5000 })
  const order: string[] = []
  const first = held()
  const entries = [queue.take(first.work, 1, { source: 'x' })]
  for (let entry = 0; entry < 10; entry++) {
    entries.push(queue.take(async () => void order.push('dear'), 200, { source: 'a' }))
    entries.push(queue.take(async () => void order.push('cheap'), 20, { source: 'b' }))
  }
  first.end()
  await Promise.all(entries)
  expect(order.lastIndexOf('cheap')).toBeLessThanOrEqual(12)
})

test('the dearest hashes leave a lane to the others', async () => {
  const queue = createHashQueue({ concurrency: 2, size: 10, waitMs: 5000 })
  const dear = [held(), held()]
  const running = dear.map(({ work }) => queue.take(work, 1000, { source: 'a' }))
  expect(queue.load()).toMatchObject({ running: 1, waiting: 1 })
  await queue.take(async () => {}, 20, { source: 'b' })
  for (const { end } of dear) end()
  await Promise.all(running)
  expect(queue.load()).toMatchObject({ running: 0, waiting: 0 })
})

test('what one account is asked for does not take all lanes while something else waits', async () => {
  const queue = createHashQueue({ concurrency: 2, size: 10, waitMs: 5000 })
  const [one, two, other] = [held(), held(), held()]
  const started: string[] = []
  const take = (name: string, work: () => Promise<void>, account: string) =>
    queue.take(
      () => {
        started.push(name)
        return work()
      },
      20,
      { source: `of ${name}`, account },
    )
  const blocked = [held(), held()]
  const blocking = blocked.map(({ work }) => queue.take(work, 1, { source: 'x' }))
  const entries = [
    take('one', one.work, 'mary'),
    take('two', two.work, 'mary'),
    take('other', other.work, 'ada'),
  ]
  for (const { end } of blocked) end()
  await Promise.all(blocking)
  await soon()
  expect(started).toEqual(['one', 'other'])
  for (const { end } of [one, two, other]) end()
  await Promise.all(entries)
})

test('who waits for too long is refused with 503 and Retry-After', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 10, waitMs: 20 })
  const first = held()
  const running = queue.take(first.work, 20, { source: 'a' })
  await expect(queue.take(async () => {}, 20, { source: 'b' })).rejects.toMatchObject({
    status: 503,
    headers: { 'retry-after': '2' },
  })
  // What the engine does for itself has no deadline.
  const own = queue.take(async () => 'done', 20)
  await new Promise((resolve) => setTimeout(resolve, 60))
  first.end()
  await running
  expect(await own).toBe('done')
  expect(queue.load()).toMatchObject({ waiting: 0, refused: 1 })
})

test('an entry whose caller has gone is dropped, and never begun', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 10, waitMs: 5000 })
  const first = held()
  const running = queue.take(first.work, 20, { source: 'a' })
  const gone = new AbortController()
  const dropped = queue.take(async () => {}, 20, { source: 'b', signal: gone.signal })
  gone.abort()
  await expect(dropped).rejects.toMatchObject({ status: 503 })
  await expect(queue.take(async () => {}, 20, { source: 'b', signal: gone.signal })).rejects.toThrow()
  expect(queue.load()).toMatchObject({ waiting: 0, dropped: 2, computed: 1 })
  first.end()
  await running
})

test('where the queue is full, the longest line gives way', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 4, waitMs: 5000 })
  const first = held()
  const running = queue.take(first.work, 20, { source: 'a' })
  const flood = Array.from({ length: 6 }, () =>
    queue.take(async () => 'done', 20, { source: 'a' }).catch(({ status }) => status),
  )
  const own = queue.take(async () => 'own', 20, { source: 'b' })
  first.end()
  await running
  expect(await own).toBe('own')
  expect(await Promise.all(flood)).toEqual(['done', 'done', 'done', 503, 503, 503])
})

test('an error of the work leaves the lane free', async () => {
  const queue = createHashQueue({ concurrency: 1, size: 4, waitMs: 5000 })
  await expect(
    queue.take(async () => {
      throw new Error('no')
    }, 20),
  ).rejects.toThrow('no')
  expect(await queue.take(async () => 'yes', 20)).toBe('yes')
  expect(queue.load().running).toBe(0)
})

test('A60: a flood of sources, each with one entry, leaves memory bounded while it goes on', async () => {
  const queue = createHashQueue({ concurrency: 2, size: 10, waitMs: 60_000 })
  const end = held()
  const busy = queue.take(end.work, 20, { source: 'held' })
  for (let entry = 0; entry < 20_000; entry++)
    await queue.take(async () => {}, 20, { source: `source ${entry}` })
  expect(queue.load().sources ?? 0).toBeLessThanOrEqual(10_001)
  end.end()
  await busy
  expect(queue.load().sources).toBe(0)
})
