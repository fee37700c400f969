import type pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import { type Answer, type KitClient, newVisitor, startEngine } from '../../src/testing/index.ts'
import { newPassword } from '../support/attacks.ts'
import { databases } from '../support/postgres.ts'
import { newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
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

/** The same of a browser with a session that an app sends to the engine. */
const redirectAtMost: typeof atMost = {
  authorize: { statements: 15, trips: 12 },
  token: { statements: 7, trips: 5 },
}

const redirectUri = 'http://localhost:8080/login/callback'
const app: KitClient = {
  id: 'hosted',
  secret: 'a secret for a hosted app of tests',
  label: 'Hosted',
  applicationType: 'web',
  redirectUris: [redirectUri],
  grantTypes: ['authorization_code'],
  insecureLocalhostRedirects: true,
}

describe.skipIf(databases[1]?.skipped !== undefined)('a redirect with a session on PostgreSQL', () => {
  test('asks the server for no more, and waits for it no more often, than it did', async () => {
    const { url = '', drop = async () => {} } = (await databases[1]?.create()) ?? {}
    const idp = await startEngine({ database: url, clients: [app] })
    const authorize = `${idp.issuer}/v1/authorize?${new URLSearchParams({
      ...{ client_id: app.id, redirect_uri: redirectUri, response_type: 'code' },
      ...{ scope: 'openid profile email', state: 'a state', nonce: 'a nonce' },
      ...{ code_challenge: s256(verifier), code_challenge_method: 'S256' },
    })}`
    const browser = newBrowser()
    const stateToken = await stateTokenAt(await browser.goes(authorize))
    const end = await signsIn(idp.engineUrl, stateToken, idp.person)
    await browser.goes(end.success?.href ?? '')

    const trips = noteTrips()
    async function redirect() {
      trips.clear()
      const answer = await browser.goes(authorize)
      const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
      const atAuthorize = trips.count()
      trips.clear()
      const { status } = await fetch(`${idp.issuer}/v1/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${app.id}:${app.secret}`).toString('base64')}` },
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', code },
          ...{ redirect_uri: redirectUri, code_verifier: verifier },
        }),
      })
      expect(status).toBe(200)
      return { authorize: atAuthorize, token: trips.count() }
    }
    // The first one loads what is loaded once.
    await redirect()
    const costs = await redirect()
    vi.restoreAllMocks()
    await idp.close()
    await drop()
    expect(costs).toEqual(redirectAtMost)
  })
})
