import type pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { type Answer, newVisitor, startEngine } from '../../src/testing/index.ts'
import { newPassword } from '../support/attacks.ts'
import { databases } from '../support/postgres.ts'
import { isCached, spyOnStatements } from './statements.ts'

// What a recovery costs on PostgreSQL is how often the engine waits for the server, and how much it asks of it.

interface Sent {
  readonly text: string
  /** The first that was sent after an answer: those that follow travel with it. */
  readonly begins: boolean
}

/** Notes what each connection sends for requests, in the order in which it is sent, until mocks are restored. */
function noteTrips() {
  const sent = new Map<pg.Client, Sent[]>()
  const waiting = new Set<pg.Client>()
  spyOnStatements('postgres', ({ text, client, request, rows }) => {
    if (client === undefined) return
    const begins = !waiting.has(client)
    waiting.add(client)
    void rows.then(() => waiting.delete(client))
    if (request !== undefined) sent.set(client, [...(sent.get(client) ?? []), { text, begins }])
  })
  return {
    clear: () => sent.clear(),
    count() {
      const all = [...sent.values()].flat().filter((one) => !isCached(one) && !recorded.test(one.text))
      return {
        statements: all.filter(({ text }) => !/^(begin|commit)/i.test(text)).length,
        trips: all.filter(({ begins }) => begins).length,
      }
    },
  }
}

/** What the record of exchanges reads, which is of development alone. */
const recorded = /^select \* from "interactions"/

/** At most: a change that makes them fewer lowers them. Each step: its statements, and how often the engine waits for the server. */
const atMost: Readonly<Record<string, { readonly statements: number; readonly trips: number }>> = {
  interact: { statements: 2, trips: 2 },
  introspect: { statements: 2, trips: 2 },
  recover: { statements: 2, trips: 2 },
  identify: { statements: 4, trips: 3 },
  challenge: { statements: 5, trips: 4 },
  'answer code': { statements: 6, trips: 5 },
  'answer password': { statements: 7, trips: 5 },
  token: { statements: 6, trips: 4 },
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
      expect({ [name]: costs[name] ?? now }).toEqual({ [name]: now })
      costs[name] = now
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
