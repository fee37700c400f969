import { beforeEach, describe, expect, test } from 'vitest'
import { ProtocolError, VirtualClock } from '../base/index.ts'
import type { LimitsOptions } from './options.ts'
import { type Endpoint, type RequestSource, requestBudgetsFrom } from './presets.ts'
import { createRequestLimits, type RequestLimits, type Violation } from './requests.ts'

const midnight = Date.parse('2030-01-01T00:00:00Z')
const clock = new VirtualClock({ frozen: true })
let violations: Violation[]

beforeEach(() => {
  clock.set(midnight)
  violations = []
})

const limitsWith = (
  requests: LimitsOptions['requests'],
  preset: LimitsOptions['preset'] = 'default',
): RequestLimits =>
  createRequestLimits({
    budgets: requestBudgetsFrom({ preset, requests } as LimitsOptions),
    clock,
    dates: clock,
    onViolation: async (violation) => void violations.push(violation),
  })

const here: RequestSource = { address: '192.0.2.1' }

async function refusedAfter(
  limits: RequestLimits,
  endpoint: Endpoint,
  source: RequestSource = here,
): Promise<{ readonly answered: number; readonly error: ProtocolError }> {
  for (let answered = 0; ; answered++) {
    try {
      await limits.charge(endpoint, source)
    } catch (error) {
      if (error instanceof ProtocolError) return { answered, error }
      throw error
    }
  }
}

test('headers tell of the budget with the least left', async () => {
  const limits = limitsWith({ idxPerAddress: 5, perStateHandle: 3 })

  expect(await limits.charge('idx', { ...here, transaction: 'trs1' })).toEqual({
    'X-Rate-Limit-Limit': '3',
    'X-Rate-Limit-Remaining': '2',
    'X-Rate-Limit-Reset': String(midnight / 1000 + 5),
  })
  expect(await limits.charge('idx', here)).toMatchObject({
    'X-Rate-Limit-Limit': '5',
    'X-Rate-Limit-Remaining': '3',
  })
})

test('a spent budget refuses until its window is over', async () => {
  const limits = limitsWith({ tokenPerAddress: 2 })

  const { answered, error } = await refusedAfter(limits, 'token')
  expect(answered).toBe(2)
  expect(error).toMatchObject({
    status: 429,
    code: 'E0000047',
    headers: {
      'X-Rate-Limit-Limit': '2',
      'X-Rate-Limit-Remaining': '0',
      'X-Rate-Limit-Reset': String(midnight / 1000 + 60),
      'Retry-After': '60',
    },
  })

  clock.advance(59_001)
  expect((await refusedAfter(limits, 'token')).error.headers['Retry-After']).toBe('1')
  clock.advance(999)
  expect((await refusedAfter(limits, 'token')).answered).toBe(2)
})

test('addresses have budgets of their own, and one IPv6 subscriber has one', async () => {
  const limits = limitsWith({ interactPerAddress: 2 })

  expect((await refusedAfter(limits, 'interact', { address: '2001:db8::1' })).answered).toBe(2)
  expect((await refusedAfter(limits, 'interact', { address: '2001:db8::ffff:2' })).answered).toBe(0)
  expect((await refusedAfter(limits, 'interact', { address: '2001:db8:0:1::1' })).answered).toBe(2)
  expect((await refusedAfter(limits, 'token', { address: '2001:db8::1' })).answered).toBe(12_000)
})

test('a client is counted by address and device, so that nobody uses up what others need', async () => {
  const limits = limitsWith({ perClient: 2 })
  const app = { client: 'app', address: '192.0.2.1' }

  expect((await refusedAfter(limits, 'interact', app)).answered).toBe(2)
  expect((await refusedAfter(limits, 'interact', { ...app, address: '192.0.2.2' })).answered).toBe(2)
  expect((await refusedAfter(limits, 'interact', { ...app, device: 'phone' })).answered).toBe(2)
  expect((await refusedAfter(limits, 'interact', { ...app, client: 'other' })).answered).toBe(2)
})

test('whoever is stopped by a narrow budget uses up none that is shared', async () => {
  const limits = limitsWith({ idx: 10, perStateHandle: 2 })

  for (let round = 0; round < 20; round++) await refusedAfter(limits, 'idx', { ...here, transaction: 'trs1' })
  expect((await refusedAfter(limits, 'idx', { ...here, transaction: 'trs2' })).answered).toBe(2)
  expect((await refusedAfter(limits, 'idx')).answered).toBe(6)
})

test('a violation is told once a window of each key', async () => {
  const limits = limitsWith({ tokenPerAddress: 1 })

  await refusedAfter(limits, 'token')
  await refusedAfter(limits, 'token')
  await refusedAfter(limits, 'token', { address: '192.0.2.2', client: 'app' })
  clock.advance(60_000)
  await refusedAfter(limits, 'token')

  expect(violations.map(({ rule, source }) => [rule, source.address])).toEqual([
    ['tokenPerAddress', '192.0.2.1'],
    ['tokenPerAddress', '192.0.2.2'],
    ['tokenPerAddress', '192.0.2.1'],
  ])
})

test('a flood of addresses leaves memory bounded: the oldest counters are forgotten', async () => {
  const limits = limitsWith({ tokenPerAddress: 1 })
  await limits.charge('token', here)

  for (let n = 0; n < 100_000; n++) {
    await limits.charge('token', { address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` })
  }
  expect((await refusedAfter(limits, 'token')).answered).toBe(1)
  expect((await refusedAfter(limits, 'token', { address: '10.1.0.0' })).answered).toBe(0)
})

test('what is over takes no memory: counters go with their windows', async () => {
  const limits = limitsWith({})
  for (let at = 0; at < 500; at++) {
    await limits.charge('idx', { address: `10.1.${at >> 8}.${at & 255}`, transaction: `trs${at}` })
  }
  expect(limits.counters()).toBeGreaterThanOrEqual(1000)
  clock.advance(60_000)
  await limits.charge('idx', { ...here, transaction: 'trs' })
  // Its own, and none of those before.
  expect(limits.counters()).toBeLessThan(6)
})

test('clearing forgets everything', async () => {
  const limits = limitsWith({ tokenPerAddress: 1 })
  await refusedAfter(limits, 'token')

  limits.clear()
  expect((await refusedAfter(limits, 'token')).answered).toBe(1)
})

describe.each([
  ['okta-integrator', { identify: 100, introspect: 200, idx: 100, interact: 200, token: 300 }],
  ['okta-enterprise', { identify: 1000, introspect: 2000, idx: 1000, interact: 2000, token: 1200 }],
] as const)('the preset %s', (preset, figures) => {
  test.each(Object.entries(figures) as [Endpoint, number][])(
    'answers %s %i times a minute, to everybody together',
    async (endpoint, figure) => {
      const limits = limitsWith({}, preset)
      await limits.charge(endpoint, { address: '192.0.2.2' })
      expect((await refusedAfter(limits, endpoint)).answered).toBe(figure - 1)
    },
  )

  test('has the figures for one client, state handle and person', async () => {
    const limits = limitsWith({}, preset)
    const answered = async (endpoint: Endpoint, source: Partial<RequestSource>) =>
      (await refusedAfter(limits, endpoint, { ...here, ...source })).answered

    expect(await answered('interact', { client: 'app' })).toBe(60)
    expect(await answered('introspect', { transaction: 'trs1' })).toBe(10)
    expect(await answered('identify', { identifier: 'mary' })).toBe(20)
    clock.advance(5000)
    expect(await answered('introspect', { transaction: 'trs1' })).toBe(10)
    expect(await answered('identify', { identifier: 'mary' })).toBe(20)
  })

  test('gives way where the owner sets a figure', async () => {
    expect((await refusedAfter(limitsWith({ token: 7 }, preset), 'token')).answered).toBe(7)
  })
})
