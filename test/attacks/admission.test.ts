import { Agent, request } from 'node:http'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { afterEach, expect, test } from 'vitest'
import type { Settings } from '../../src/config/index.ts'
import {
  createHasher,
  type HashParameters,
  insecureFastHash,
  type PasswordHasher,
} from '../../src/passwords/index.ts'
import type { Visitor } from '../../src/testing/index.ts'
import { parallel, visit } from '../support/attacks.ts'
import { type Node, startNode } from '../support/nodes.ts'

const right = 'Tangerine-Kettle-42'
const stranger = '203.0.113.7'
/** Some 100 ms of a core a hash. */
const slow: HashParameters = { memoryKiB: 65_536, passes: 2, lanes: 1 }

let node: Node
let hasher: PasswordHasher
afterEach(() => node.close())

async function start(
  options: {
    readonly parameters?: HashParameters
    readonly concurrency?: number
    readonly waitMs?: number
    readonly limits?: Settings['limits']
  } = {},
): Promise<void> {
  const { parameters = insecureFastHash, concurrency = 2, waitMs = 60_000, limits = {} } = options
  hasher = createHasher({ parameters, concurrency, queue: 200, waitMs })
  node = await startNode({ settings: { limits }, ports: { hasher } })
}

const from = (address: string): Promise<Visitor> => visit(node, { headers: { 'x-forwarded-for': address } })

const guess = (visitor: Visitor, identifier: string, passcode = 'Summer2026!!') =>
  visitor.submits('identify', { identifier, credentials: { passcode } })

test('A51: a source whose budget is spent costs no hash, whichever user it names, and is answered as before', async () => {
  await start({ limits: { sprayPerAddressMinute: 20 } })
  for (let index = 0; index < 20; index++) {
    expect((await guess(await from(stranger), `person${index}@example.com`)).status).toBe(401)
  }
  const before = hasher.load().computed
  for (const name of ['mary@example.com', 'nina@example.com', 'person1@example.com']) {
    for (const passcode of ['Summer2026!!', right]) {
      const reply = await guess(await from(stranger), name, passcode)
      expect([reply.status, ...reply.messages]).toEqual([429, 'tooManyRequests'])
      expect(reply.headers.get('retry-after')).toBe('60')
    }
  }
  // With one transaction and many submissions at once, too.
  const visitor = await from(stranger)
  await parallel(40, () => guess(visitor, 'mary@example.com'))
  expect(hasher.load().computed).toBe(before)
  expect((await guess(await from('198.51.100.1'), 'mary@example.com', right)).interactionCode).toBeDefined()
  expect(hasher.load().computed).toBe(before + 1)
})

test('A51: of many answers that are sent at once no more are hashed than the budget of the source allows', async () => {
  await start({ parameters: slow, limits: { sprayPerAddressMinute: 10 } })
  const visitors = await parallel(40, () => from(stranger))
  const before = hasher.load().computed
  const replies = await Promise.all(
    visitors.map((visitor, index) => guess(visitor, `person${index}@example.com`)),
  )
  expect(replies.filter(({ status }) => status === 401)).toHaveLength(10)
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(30)
  // Those that began at the same moment as the last one that had room.
  expect(hasher.load().computed - before).toBeLessThanOrEqual(14)
})

test('A51: a name whose budget this source has spent costs no hash, known or unknown', async () => {
  await start()
  const computed = async (name: string) => {
    const counts = []
    for (let index = 0; index < 25; index++) {
      const before = hasher.load().computed
      const { status } = await guess(await from(stranger), name)
      counts.push([status, hasher.load().computed - before])
    }
    return counts
  }
  const known = await computed('mary@example.com')
  expect(known).toEqual([...Array(20).fill([401, 1]), ...Array(5).fill([401, 0])])
  expect(await computed('nina@example.com')).toEqual(known)
})

test('A51: of many submissions to one transaction at once one costs a hash, the others are answered as those that came too late', async () => {
  await start({ parameters: slow })
  const visitor = await from(stranger)
  const before = hasher.load().computed
  let most = 0
  const watching = setInterval(() => {
    const { running, waiting } = hasher.load()
    most = Math.max(most, running + waiting)
  }, 1)
  const replies = await parallel(60, () => guess(visitor, 'mary@example.com'))
  clearInterval(watching)
  expect(most).toBe(1)
  // Those that were read only after a hash had ended are checked in their turn; the fifth closes the transaction.
  expect(hasher.load().computed - before).toBeLessThanOrEqual(5)
  expect(replies.filter(({ status }) => status >= 500)).toEqual([])
})

test('A51: two sources that fill the queue hold a right answer from elsewhere back by a hash or two each', async () => {
  await start({ parameters: slow, concurrency: 1 })
  const visitors = await parallel(16, (index) => from(index % 2 === 0 ? stranger : '203.0.113.8'))
  const owner = await from('198.51.100.1')
  const before = hasher.load().computed
  const flood = visitors.map((visitor, index) => guess(visitor, `person${index}@example.com`))
  while (hasher.load().waiting < 12) await new Promise((resolve) => setTimeout(resolve, 2))
  const atFirst = hasher.load().computed
  expect((await guess(owner, 'mary@example.com', right)).interactionCode).toBeDefined()
  // Those of two sources each, and those that began while the answer was on its way.
  expect(hasher.load().computed - atFirst).toBeLessThanOrEqual(6)
  await Promise.all(flood)
  expect(hasher.load().computed - before).toBe(17)
})

test('A51: what waits for too long is answered 503 with Retry-After, and no wait grows beyond it', async () => {
  await start({ parameters: slow, concurrency: 1, waitMs: 300 })
  const visitors = await parallel(30, () => from(stranger))
  const replies = await Promise.all(
    visitors.map((visitor, index) => guess(visitor, `person${index}@example.com`)),
  )
  const busy = replies.filter(({ status }) => status === 503)
  expect(busy.length).toBeGreaterThan(5)
  expect(new Set(busy.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['2']))
  expect(hasher.load()).toMatchObject({ waiting: 0, refused: busy.length })
})

test('A51: requests whose caller has gone leave the queue without a hash', async () => {
  await start({ parameters: slow, concurrency: 1 })
  const visitors = await parallel(20, () => from(stranger))
  const agent = new Agent({ keepAlive: false })
  const before = hasher.load().computed
  const requests = visitors.map(({ stateHandle }, index) => {
    const sent = request(`${node.engineUrl}/idp/idx/identify`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json' },
    })
    sent.on('error', () => {})
    const credentials = { passcode: 'Summer2026!!' }
    sent.end(JSON.stringify({ stateHandle, identifier: `person${index}@example.com`, credentials }))
    return sent
  })
  while (hasher.load().waiting < 15) await new Promise((resolve) => setTimeout(resolve, 2))
  for (const sent of requests) sent.destroy()
  while (hasher.load().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(hasher.load().dropped).toBeGreaterThanOrEqual(13)
  expect(hasher.load().computed - before).toBeLessThanOrEqual(7)
})

test('A51: an imported hash is compared twice at most, and a dear one leaves a lane to the others', async () => {
  await start({ parameters: insecureFastHash, concurrency: 2 })
  const { people } = node.engine
  for (const [name, cost] of [
    ['cheap', 5],
    ['dear', 13],
  ] as const) {
    const login = `${name}@example.com`
    const passwordHash = await bcryptHash('Marmalade-Harbour-31', cost)
    await people.add({ profile: { login, email: login }, passwordHash })
  }
  const before = hasher.load().computed
  // Typed with a combining accent: as typed, and composed.
  expect((await guess(await from(stranger), 'cheap@example.com', 'Cafe\u0301-Harbour-31')).status).toBe(401)
  expect(hasher.load().computed - before).toBe(2)

  const visitors = await parallel(3, () => from(stranger))
  const flood = visitors.map((visitor) => guess(visitor, 'dear@example.com'))
  while (hasher.load().waiting < 2) await new Promise((resolve) => setTimeout(resolve, 2))
  const computed = hasher.load().computed
  for (let index = 0; index < 3; index++) {
    expect((await guess(await from('198.51.100.1'), 'mary@example.com', right)).interactionCode).toBeDefined()
  }
  // The flood has got on by two of its own at most meanwhile.
  expect(hasher.load().computed - computed).toBeLessThanOrEqual(5)
  await Promise.all(flood)
})

test('A51: during a flood from a source whose budget is spent no right answer of others is refused', async () => {
  await start({
    parameters: { memoryKiB: 19_456, passes: 2, lanes: 1 },
    limits: { sprayPerAddressMinute: 120 },
  })
  const strangers = await parallel(20, () => from(stranger))
  let sent = 0
  let isOver = false
  const flood = (async () => {
    const replies: Promise<{ readonly status: number }>[] = []
    while (!isOver) {
      const visitor = strangers[sent % strangers.length]
      if (visitor !== undefined) replies.push(guess(visitor, `person${sent % 900}@example.com`))
      sent++
      await new Promise((resolve) => setTimeout(resolve, 6))
    }
    return (await Promise.all(replies)).map(({ status }) => status)
  })()
  // Until the budget is spent or every transaction is closed, wrong answers are checked.
  const statuses = []
  const begun = performance.now()
  while (performance.now() - begun < 4000 || statuses.length < 2) {
    const reply = await guess(await from('198.51.100.1'), 'mary@example.com', right)
    statuses.push(reply.interactionCode === undefined ? reply.status : 'signed in')
  }
  isOver = true
  expect((await flood).filter((status) => status >= 500)).toEqual([])
  expect(statuses.length).toBeGreaterThan(1)
  expect(sent).toBeGreaterThan(statuses.length)
  expect(new Set(statuses)).toEqual(new Set(['signed in']))
})
