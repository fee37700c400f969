import { expect, test } from 'vitest'
import type { Config } from '../../src/config/index.ts'
import type { Shared } from '../../src/engine/index.ts'
import { createChannel, type Line } from '../../src/workers/channel.ts'
import { sharedBy } from '../../src/workers/member.ts'
import { createServices, type Services } from '../../src/workers/services.ts'

/** Two ends of what is a pipe between processes: what is said at one arrives at the other as text. */
function pipe(): readonly [Line, Line] {
  const listeners: ((message: unknown) => void)[][] = [[], []]
  const end = (own: number, other: number): Line => ({
    send(message, sent) {
      const text = JSON.stringify(message)
      setImmediate(() => {
        for (const listener of listeners[other] ?? []) listener(JSON.parse(text))
        sent()
      })
    },
    onMessage: (listener) => void listeners[own]?.push(listener),
  })
  return [end(0, 1), end(1, 0)]
}

/** A worker of a node, and how it dies. */
function join(services: Services, worker: number, workers: number): Shared & { die(): void } {
  const [ofPrimary, ofWorker] = pipe()
  const die = services.attach(createChannel(ofPrimary))
  const place = { worker, workers, prepares: false, config: {} as Config }
  const shared = sharedBy(createChannel(ofWorker), place, { leads: () => false, onMetrics() {} })
  return { ...shared, die }
}

function nodeOf(workers: number, concurrency = 1) {
  const services = createServices()
  services.configure({ password: { concurrency, queue: 10, waitMs: 5000 } as Config['password'] })
  return Array.from({ length: workers }, (_, index) => join(services, index + 1, workers)) as [
    ReturnType<typeof join>,
    ReturnType<typeof join>,
  ]
}

const use = { budget: 'tokenPerAddress', windowMs: 60_000, limit: 10, key: '192.0.2.1' }

test('A45: a budget of requests of N is N, however many workers answer', async () => {
  const workers = nodeOf(3)
  const asked = Array.from({ length: 40 }, (_, index) => workers[index % 3]?.counters.charge([use]))
  const found = await Promise.all(asked)
  expect(found.filter((one) => one?.spent === -1)).toHaveLength(10)
  // And one event in the log, not one of each worker.
  expect(found.filter((one) => one?.isAnnounced)).toHaveLength(1)
})

test('A45: a worker that dies takes what was counted with it to no grave', async () => {
  const [one, other] = nodeOf(2)
  for (let time = 0; time < 10; time++) await one.counters.charge([use])
  one.die()
  expect(await other.counters.charge([use])).toMatchObject({ spent: 0 })
})

test('A51: workers compute no more hashes at once than one process does, and share the turns', async () => {
  const workers = nodeOf(2, 2)
  let running = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
  }
  const all = Array.from({ length: 12 }, (_, index) =>
    workers[index % 2]?.hashes.take(work, 20, { source: `192.0.2.${index}` }),
  )
  await Promise.all(all)
  expect(most).toBe(2)
})

test('A51: a queue of hashes is as long for all workers as for one, and a dead one blocks no lane', async () => {
  const [one, other] = nodeOf(2, 1)
  const never = new Promise<void>(() => {})
  void one.hashes.take(() => never, 20, { source: 'a' })
  const waiting = Array.from({ length: 12 }, (_, index) =>
    other.hashes.take(async () => 'done', 20, { source: `${index}` }).catch(({ status }) => status),
  )
  const refused = await Promise.race([Promise.all(waiting.slice(10)), new Promise((r) => setTimeout(r, 500))])
  expect(refused).toEqual([503, 503])
  one.die()
  expect(await Promise.all(waiting.slice(0, 10))).toEqual(Array(10).fill('done'))
})

test('A11: an answer that is checked at one worker counts at the other', async () => {
  const [one, other] = nodeOf(2)
  const first = await one.sources.begin('192.0.2.1')
  expect(first.inFlight).toBe(1)
  expect((await other.sources.begin('192.0.2.1')).inFlight).toBe(2)
  first.end()
  expect((await one.sources.begin('192.0.2.1')).inFlight).toBe(2)
  other.die()
  expect((await one.sources.begin('192.0.2.1')).inFlight).toBe(2)
})

test('A60: an address opens as many connections at all workers as it may at one', async () => {
  const [one, other] = nodeOf(2)
  const opened = await Promise.all(
    [one, other, one, other].map(({ connections }) => connections.open('192.0.2.1', 3)),
  )
  expect(opened).toEqual([true, true, true, false])
  one.die()
  expect(await other.connections.open('192.0.2.1', 3)).toBe(true)
})

test('hands of a node are divided among its workers, to the last one', () => {
  const workers = nodeOf(3)
  expect(workers.map(({ partOf }) => partOf(5))).toEqual([2, 2, 1])
  expect(workers.map(({ partOf }) => partOf(2))).toEqual([1, 1, 0])
})
