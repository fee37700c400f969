import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../../testing/index.ts'
import type { FlowFacts } from '../facts.ts'
import { explain, plain } from './index.ts'

// The facts of a real transaction, changed to distinguish similar causes.
const login = 'mary@example.com'
let idp: Kit
let facts: FlowFacts

beforeAll(async () => {
  idp = await startEngine({ clock: 'frozen' })
})
afterAll(() => idp.close())
beforeEach(async () => {
  await idp.reset()
  facts = await waitingForTheCode()
})

async function waitingForTheCode(): Promise<FlowFacts> {
  const { id } = await beginRecovery()
  const timeline = await idp.engine.timeline(id)
  if (timeline === undefined) throw new Error('there is no such transaction')
  return {
    timeline,
    exchanges: [],
    moves: [],
    personStatus: 'ACTIVE',
    codeLifetimeMs: 300_000,
    now: idp.clock.now(),
  }
}

async function beginRecovery(): Promise<{ readonly id: string }> {
  const post = async (path: string, body: object) =>
    (
      await fetch(`${idp.engineUrl}/idp/idx/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).json()
  const begun = await fetch(`${idp.issuer}/v1/interact`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
      scope: 'openid',
      redirect_uri: idp.redirectUri,
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      state: 'state',
    }),
  })
  const { interaction_handle: interactionHandle } = (await begun.json()) as { interaction_handle: string }
  const { stateHandle } = (await post('introspect', { interactionHandle })) as { stateHandle: string }
  await post('recover', { stateHandle })
  const chosen = (await post('identify', { stateHandle, identifier: login })) as {
    authenticators: { value: { id: string }[] }
  }
  await post('challenge', { stateHandle, authenticator: { id: chosen.authenticators.value[0]?.id } })
  await idp.engine.delivery.idle()
  const [transaction] = await idp.engine.transactions(1)
  return { id: transaction?.id ?? '' }
}

const causeOf = (changes: Partial<FlowFacts>) => explain({ ...facts, ...changes }).cause
const timelineWith = (changes: Partial<FlowFacts['timeline']>) => ({
  timeline: { ...facts.timeline, ...changes },
})
const later = (minutes: number) => ({ now: facts.now + minutes * 60_000 })

test('a transaction without recorded exchanges, as after a restart, is explained by its row and the log', () => {
  const explained = explain(facts)
  expect(explained).toMatchObject({ cause: 'waiting', tone: 'waiting' })
  expect(plain(explained.sentence)).toMatch(
    /^The transaction is waiting for the code or the link that was mailed at \d\d:\d\d UTC; both are valid until \d\d:\d\d UTC\.$/,
  )
})

test('a code that was not entered in time has expired, and later its transaction too', () => {
  expect(causeOf(later(6))).toBe('code-expired')
  const late = explain({ ...facts, ...later(31) })
  expect(late.cause).toBe('code-expired')
  expect(plain(late.sentence)).toContain('it was not entered. The transaction expired at ')
})

test('a transaction without a username expires as not continued', () => {
  const unnamed = timelineWith({ identifier: null, personId: null, intent: 'sign-in', events: [] })
  expect(causeOf(unnamed)).toBe('waiting')
  expect(causeOf({ ...unnamed, ...later(31) })).toBe('transaction-expired')
})

test.each([
  ['status SUSPENDED', 'person-suspended'],
  ['status DEPROVISIONED', 'person-deactivated'],
  ['status LOCKED_OUT', 'person-locked'],
  ['status PROVISIONED', 'person-not-ready'],
  ['password-changed', 'password-changed-elsewhere'],
  ['email-changed', 'email-changed'],
  ['person-removed', 'person-removed'],
  ['something new', 'ended'],
] as const)('a transaction that the rule “%s” ended from outside: %s', (rule, cause) => {
  const at = facts.timeline.updatedAt
  expect(causeOf(timelineWith({ closed: 'superseded', ended: { rule, at } }))).toBe(cause)
})

test.each([
  ['policy recovery.secondFactor', 'factor-missing'],
  ['not-assigned', 'person-not-assigned'],
  ['status SUSPENDED', 'person-suspended'],
] as const)('a transaction that was denied by the rule “%s”: %s', (rule, cause) => {
  const at = facts.timeline.updatedAt
  expect(causeOf(timelineWith({ closed: 'denied', ended: { rule, at } }))).toBe(cause)
})

test('a mail that was given up is distinguished from one that is retried', () => {
  const [queued] = facts.timeline.events.filter(({ eventType }) => eventType.endsWith('sent_message'))
  const events = facts.timeline.events.filter(({ eventType }) => eventType !== 'system.email.delivery')
  const id = queued?.debugContext.debugData.mail ?? ''
  const waiting = [
    { id, template: 'ForgotPassword', attempts: 3, nextAt: 0, error: 'connect ECONNREFUSED\n    at x' },
  ]
  const tried = explain({ ...facts, ...timelineWith({ events, waiting }) })
  expect(tried.cause).toBe('mail-undelivered')
  expect(plain(tried.sentence)).toMatch(/did not accept it after 3 attempts \(connect ECONNREFUSED\)\.$/)

  const dead = facts.timeline.events.map((event) =>
    event.eventType === 'system.email.delivery'
      ? { ...event, outcome: { result: 'FAILURE' as const, reason: 'DEAD' } }
      : event,
  )
  expect(plain(explain({ ...facts, ...timelineWith({ events: dead }) }).sentence)).toContain(
    'was refused permanently',
  )
})
