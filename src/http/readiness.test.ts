import { describe, expect, test } from 'vitest'
import { onThisMachine } from '../../test/support/machine.ts'
import { createLogger, ProtocolError, silentLogger } from '../base/index.ts'
import { createReadiness } from './readiness.ts'

/** Checks whose results the test sets, a time that it moves, and what was logged. */
function start(results: Record<string, () => Promise<string>>) {
  let at = 0
  let asked = 0
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  const checks = Object.fromEntries(
    Object.keys(results).map((name) => [
      name,
      () => {
        asked++
        return results[name]?.() ?? Promise.resolve('ok')
      },
    ]),
  )
  const readiness = createReadiness({ checks, log, now: () => at })
  return {
    ...readiness,
    lines,
    asked: () => asked,
    readAfter: (ms: number) => {
      at += ms
      return readiness.read()
    },
  }
}

describe('readiness', () => {
  test('is asked of the checks once a second, however many ask', async () => {
    const { read, readAfter, asked, last } = start({ database: async () => 'ok' })
    expect(last()).toBeUndefined()
    await Promise.all(Array.from({ length: 1000 }, read))
    await read()
    expect(asked()).toBe(1)
    expect(await readAfter(999)).toEqual({ isReady: true, checks: { database: 'ok' } })
    expect(asked()).toBe(1)
    await readAfter(1)
    expect(asked()).toBe(2)
    expect(last()).toEqual({ isReady: true, checks: { database: 'ok' } })
  })

  test('what a check found out counts at once, both ways', async () => {
    let result = 'ok'
    const { readAfter } = start({ database: async () => result, disk: async () => 'ok' })
    await readAfter(0)
    result = 'read-only'
    expect(await readAfter(1000)).toEqual({ isReady: false, checks: { database: 'read-only', disk: 'ok' } })
    result = 'ok'
    expect(await readAfter(1000)).toEqual({ isReady: true, checks: { database: 'ok', disk: 'ok' } })
  })

  test('that the database does not answer counts after five seconds', async () => {
    let result = 'ok'
    const { readAfter } = start({ database: async () => result })
    await readAfter(60_000)
    result = 'no answer'
    expect((await readAfter(60_000)).isReady).toBe(true)
    expect((await readAfter(4_999)).isReady).toBe(true)
    expect(await readAfter(1_000)).toEqual({ isReady: false, checks: { database: 'no answer' } })
    result = 'ok'
    expect((await readAfter(1_000)).isReady).toBe(true)
    result = 'no answer'
    expect((await readAfter(1_000)).isReady).toBe(true)
  })

  test('a check that hangs is waited for no longer than a second, and not begun again', async () => {
    const { read, readAfter, asked } = start({ database: () => new Promise(() => {}) })
    const before = performance.now()
    expect((await read()).isReady).toBe(true)
    expect(performance.now() - before).toBeLessThan(onThisMachine(2500))
    expect((await readAfter(5000)).isReady).toBe(false)
    expect(asked()).toBe(1)
  })

  // The check of a secret reads the database over the pool, which a locked table may have filled.
  test('another check that cannot ask the database says nothing; one that fails does', async () => {
    let error: Error = new ProtocolError(503, 'E0000010', 'away', { cause: new Error('timeout') })
    const readiness = start({
      database: async () => 'ok',
      secret: async () => {
        throw error
      },
    })
    for (let second = 0; second < 20; second++) expect((await readiness.readAfter(1000)).isReady).toBe(true)
    error = new Error('postgres://rekey:hunter2@db.example/rekey')
    const { isReady, checks } = await readiness.readAfter(1000)
    expect([isReady, checks]).toEqual([false, { database: 'ok', secret: 'failed' }])
  })

  test('a lasting failure is logged when it begins and once a minute, and its end', async () => {
    let result = 'full'
    const { readAfter, lines } = start({ disk: async () => result })
    for (let second = 0; second < 130; second++) await readAfter(1000)
    result = 'ok'
    await readAfter(1000)
    expect(lines.map(({ msg, check, result }) => [msg, check, result])).toEqual([
      ['not ready', 'disk', 'full'],
      ['not ready', 'disk', 'full'],
      ['not ready', 'disk', 'full'],
      ['ready again', 'disk', undefined],
    ])
  })

  test('without checks a node is ready', async () => {
    expect(await createReadiness({ checks: {}, log: silentLogger }).read()).toEqual({
      isReady: true,
      checks: {},
    })
  })
})
