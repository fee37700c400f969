import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { type Answer, newVisitor, startEngine } from '../../src/testing/index.ts'
import { newPassword } from '../support/attacks.ts'
import { databases } from '../support/postgres.ts'

// What a recovery costs on PostgreSQL is how often the engine waits for the server, and how much it asks of it.

interface Sent {
  readonly text: string
  /** The first that was sent after an answer: those that follow travel with it. */
  readonly begins: boolean
}

/** Notes what each connection sends, in the order in which it is sent, until mocks are restored. */
function noteTrips() {
  const sent = new Map<pg.Client, Sent[]>()
  const waiting = new Set<pg.Client>()
  const original = pg.Client.prototype.query as (...parameters: unknown[]) => Promise<unknown>
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...parameters: unknown[]
  ) {
    const [query] = parameters as [string | { readonly text: string }]
    const text = typeof query === 'string' ? query : query.text
    sent.set(this, [...(sent.get(this) ?? []), { text, begins: !waiting.has(this) }])
    waiting.add(this)
    const answered = original.apply(this, parameters)
    const over = () => void waiting.delete(this)
    answered.then(over, over)
    return answered
  } as never)
  return {
    clear: () => sent.clear(),
    count() {
      const all = [...sent.values()].flatMap(ofRequests)
      return {
        statements: all.filter(({ text }) => !/^(begin|commit)/i.test(text)).length,
        trips: all.filter(({ begins }) => begins).length,
      }
    },
  }
}

/** What is read once in two seconds, for all requests: policies, and what is set of authenticators. */
const cached = /from "policies"|from "settings" where "key" in/

/** What the record of exchanges reads, which is of development alone. */
const recorded = /^select \* from "interactions"/

/** Without what delivers the mails meanwhile: of the outbox a request only inserts. */
function ofRequests(all: readonly Sent[]): readonly Sent[] {
  const transactions: Sent[][] = []
  let isOpen = false
  for (const one of all) {
    if (isOpen) transactions.at(-1)?.push(one)
    else transactions.push([one])
    if (/^begin/i.test(one.text)) isOpen = true
    if (/^(commit|rollback)/i.test(one.text)) isOpen = false
  }
  return transactions
    .filter((group) => !group.some(({ text }) => /outbox/.test(text) && !/^\s*insert/i.test(text)))
    .flat()
    .filter(({ text }) => !cached.test(text) && !recorded.test(text))
}

/** At most: a change that makes them fewer lowers them. Each step: its statements, and how often the engine waits for the server. */
const atMost: Readonly<Record<string, { readonly statements: number; readonly trips: number }>> = {
  interact: { statements: 2, trips: 2 },
  introspect: { statements: 2, trips: 2 },
  recover: { statements: 2, trips: 2 },
  identify: { statements: 6, trips: 7 },
  challenge: { statements: 8, trips: 8 },
  'answer code': { statements: 8, trips: 8 },
  'answer password': { statements: 15, trips: 7 },
  token: { statements: 7, trips: 7 },
}

describe.skipIf(databases[1]?.skipped !== undefined)('a recovery on PostgreSQL', () => {
  test('asks the server for no more, and waits for it no more often, than it did', async () => {
    const { url = '', drop = async () => {} } = (await databases[1]?.create()) ?? {}
    const idp = await startEngine({ database: url })
    const { login } = idp.person
    // The first one loads what is loaded once: policies, keys.
    const first = newVisitor(idp)
    await first.atTheReset(login)
    await first.redeems((await first.answers('Tangerine-Kettle-42')).interactionCode ?? '')
    await idp.engine.delivery.idle()

    const trips = noteTrips()
    const costs: Record<string, { statements: number; trips: number }> = {}
    const step = async (name: string, run: () => Promise<unknown>): Promise<unknown> => {
      trips.clear()
      const answer = await run()
      const now = trips.count()
      const { statements, trips: before } = costs[name] ?? now
      // The mail may be under way while it is counted: what the step itself costs is the least of both times.
      costs[name] = {
        statements: Math.min(now.statements, statements),
        trips: Math.min(now.trips, before),
      }
      await idp.engine.delivery.idle()
      return answer
    }
    for (const password of [newPassword, 'Umbrella-Saxophone-19']) {
      const visitor = newVisitor(idp)
      await step('interact', () => visitor.interacts())
      await step('introspect', () => visitor.introspects())
      await step('recover', () => visitor.submits('recover'))
      await step('identify', () => visitor.submits('identify', { identifier: login }))
      await step('challenge', () => visitor.selects('okta_email'))
      const { code } = idp.outbox.latest({ to: login }) ?? {}
      await step('answer code', () => visitor.answers(code ?? ''))
      const done = (await step('answer password', () => visitor.answers(password))) as Answer
      await step('token', () => visitor.redeems(done.interactionCode ?? ''))
    }
    vi.restoreAllMocks()
    await idp.close()
    await drop()
    expect(costs).toEqual(atMost)
  })
})
