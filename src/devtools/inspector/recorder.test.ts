import { expect, test } from 'vitest'
import type { Exchange } from '../../audit/index.ts'
import { createRecorder, type FlowChange } from './recorder.ts'

const exchange = (more: Partial<Exchange> = {}): Exchange => ({
  at: 1_700_000_000_000,
  durationMs: 1,
  endpoint: 'idx',
  method: 'POST',
  path: '/idp/idx/identify',
  status: 200,
  sent: {},
  offered: [],
  messages: [],
  ...more,
})

const begins = (interactionId: string) =>
  exchange({ endpoint: 'interact', path: '/oauth2/default/v1/interact', interactionId })
const redeems = (interactionId: string) =>
  exchange({ endpoint: 'token', path: '/oauth2/default/v1/token', interactionId })
const step = (transactionId: string, more: Partial<Exchange> = {}) =>
  exchange({ transactionId, interactionId: `int-${transactionId}`, ...more })

test('the first and the last exchange of an interaction belong to its transaction', () => {
  const recorder = createRecorder()
  for (const one of [begins('int-trs1'), step('trs1'), redeems('int-trs1')]) recorder.observe(one)

  expect(recorder.of('trs1').map(({ endpoint }) => endpoint)).toEqual(['interact', 'idx', 'token'])
  expect(recorder.strays()).toEqual([])
})

test('the token exchange belongs to the last transaction of an interaction', () => {
  const recorder = createRecorder()
  const interactionId = 'int1'
  for (const one of [
    begins(interactionId),
    step('trs1', { interactionId }),
    step('trs2', { interactionId }),
  ]) {
    recorder.observe(one)
  }
  recorder.observe(redeems(interactionId))

  expect(recorder.of('trs1').map(({ endpoint }) => endpoint)).toEqual(['interact', 'idx'])
  expect(recorder.of('trs2').map(({ endpoint }) => endpoint)).toEqual(['idx', 'token'])
})

test('polls with the same result are recorded once', () => {
  const recorder = createRecorder()
  const poll = { path: '/idp/idx/challenge/poll', stageAfter: 'verify' }
  for (const stageAfter of ['verify', 'verify', 'verify', 'reset'])
    recorder.observe(step('trs1', { ...poll, stageAfter }))

  expect(recorder.of('trs1').map(({ stageAfter, times }) => [stageAfter, times])).toEqual([
    ['verify', 3],
    ['reset', 1],
  ])
})

test('exchanges refused before a transaction begins are listed separately, newest first', () => {
  const recorder = createRecorder()
  recorder.observe(exchange({ endpoint: 'interact', status: 400, reason: 'first' }))
  recorder.observe(exchange({ status: 401, reason: 'second' }))

  expect(recorder.strays().map(({ reason }) => reason)).toEqual(['second', 'first'])
})

test('tokens for a user whom a test signed in are no refusal', () => {
  const recorder = createRecorder()
  recorder.observe(redeems('int-of-signInAs'))

  expect(recorder.strays()).toEqual([])
  recorder.observe({ ...redeems('int-of-signInAs'), status: 400 })
  recorder.observe(exchange({ endpoint: 'origin', status: 200 }))
  recorder.observe(exchange({ endpoint: 'link', reason: 'unknown' }))
  expect(recorder.strays().map(({ endpoint }) => endpoint)).toEqual(['link', 'origin', 'token'])
})

test('memory is bounded: the latest transactions stay, with their latest exchanges', () => {
  const recorder = createRecorder({ transactions: 2, exchanges: 3, strays: 2 })
  for (const id of ['trs1', 'trs2', 'trs1', 'trs3']) recorder.observe(step(id))
  for (let count = 0; count < 5; count += 1) recorder.observe(step('trs3', { status: 200 + count }))
  for (let count = 0; count < 5; count += 1) {
    recorder.observe(exchange({ status: 401 }))
    recorder.observe(begins(`int${count}`))
    recorder.clockMoved({ at: count, byMs: 1 })
  }

  expect(['trs1', 'trs2', 'trs3'].map((id) => recorder.of(id).length)).toEqual([2, 0, 3])
  expect(recorder.of('trs3').at(-1)?.status).toBe(204)
  expect(recorder.strays()).toHaveLength(2)
  expect(recorder.moves()).toHaveLength(2)
})

test('a subscriber is notified of changes until it unsubscribes', () => {
  const recorder = createRecorder()
  const changes: FlowChange[] = []
  const unsubscribe = recorder.subscribe((change) => changes.push(change))
  recorder.observe(step('trs1'))
  recorder.clear()
  unsubscribe()
  recorder.observe(step('trs2'))

  expect(changes).toEqual([{ id: 'trs1' }, 'cleared'])
  expect(recorder.of('trs1')).toEqual([])
})
