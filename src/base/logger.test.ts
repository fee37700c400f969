import { describe, expect, test } from 'vitest'
import { insecureSeededRandom, ProtocolError, timedId, timeOfId } from './index.ts'
import { createLogger } from './logger.ts'
import { createSampler } from './sampler.ts'

function logger() {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  return { log, lines }
}
const coded = (code: string, message = 'it failed') => Object.assign(new Error(message), { code })

describe('the log of an error', () => {
  test.each([
    ['25006', { code: '25006', sqlstate: '25006' }],
    ['57P01', { code: '57P01', sqlstate: '57P01' }],
    ['ECONNREFUSED', { code: 'ECONNREFUSED', errno: 'ECONNREFUSED' }],
    ['EAI_AGAIN', { code: 'EAI_AGAIN', errno: 'EAI_AGAIN' }],
    ['ERR_SOCKET_CLOSED', { code: 'ERR_SOCKET_CLOSED' }],
    ['SQLITE_FULL', { code: 'SQLITE_FULL' }],
    ['E0000009', { code: 'E0000009' }],
    ['invalid_grant', { code: 'invalid_grant' }],
  ])('names its code: %s', (code, expected) => {
    const { log, lines } = logger()
    log.error({ err: coded(code) }, 'x')
    expect(lines[0]?.err).toMatchObject(expected)
  })

  test('names SQLSTATE and errno of what caused it, and of the first of several attempts', () => {
    const { log, lines } = logger()
    const cause = coded('25006', 'cannot execute INSERT in a read-only transaction')
    const unavailable = new ProtocolError(503, 'E0000009', 'Try again.', { cause, detail: 'for developers' })
    log.error({ err: unavailable }, 'x')
    expect(lines[0]?.err).toMatchObject({
      type: 'ProtocolError',
      code: 'E0000009',
      status: 503,
      detail: 'for developers',
      sqlstate: '25006',
      cause: { message: 'cannot execute INSERT in a read-only transaction', code: '25006' },
    })
    const attempts = new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')], 'all failed')
    log.error({ err: new Error('outer', { cause: attempts }) }, 'y')
    expect(lines[1]?.err).toMatchObject({ errno: 'ECONNREFUSED' })
  })

  test('A42: has no code that was mailed or that redeems a sign-in, and no other member of the error', () => {
    const { log, lines } = logger()
    const secrets = ['483920', 'K7MPQ2XW9R', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V']
    for (const code of secrets) {
      log.error({ err: coded(code) }, code.slice(0, 2))
      log.error({ code, mail: { code } }, 'beside it')
      log.info({ step: { answer: { code } } }, 'deeper')
    }
    log.error({ mail: { code: '12345' } }, 'five digits')
    log.error({ err: Object.assign(new Error('x'), { parameters: ['mary'], where: 'mary' }) }, 'members')
    const text = JSON.stringify(lines)
    for (const secret of [...secrets, '12345', 'mary']) expect(text).not.toContain(secret)
  })

  test('has a stack once a minute for each kind; further lines are short, and beyond twenty none', () => {
    const { log, lines } = logger()
    const fail = (code: string) => new ProtocolError(503, 'E0000009', 'x', { cause: coded(code) })
    for (let time = 0; time < 1000; time++) log.error({ err: fail('57P01'), errorId: `oae${time}` }, 'failed')
    log.error({ err: fail('53300') }, 'failed')
    expect(lines).toHaveLength(21)
    const [first, second] = lines as { err: { stack?: string; cause: { stack?: string; code: string } } }[]
    expect([first?.err.stack, first?.err.cause.stack]).toEqual([expect.any(String), expect.any(String)])
    expect([second?.err.stack, second?.err.cause.stack]).toEqual([undefined, undefined])
    expect(second?.err.cause.code).toBe('57P01')
    expect(lines.at(-1)).toMatchObject({ err: { sqlstate: '53300', stack: expect.any(String) } })
    expect(JSON.stringify(lines[1]).length).toBeLessThan(500)
  })
})

test('a sampler counts what it lets through no more, kind by kind', () => {
  const sampler = createSampler({ perMinute: 2 })
  expect([1, 2, 3].map(() => sampler.take('a').isAllowed)).toEqual([true, true, false])
  expect(sampler.take('b')).toEqual({ isAllowed: true, isFirst: true, suppressed: 0 })
})

test('an id with its time leads back to it, and other ids to none', () => {
  const random = insecureSeededRandom('ids')
  for (const time of ['2026-11-27T22:10:03Z', '2020-01-01T00:00:00Z', '2199-12-31T23:59:59Z']) {
    const id = timedId(random, 'req', Date.parse(time) + 999)
    expect(id).toMatch(/^req[A-Za-z0-9]{17}$/)
    expect(timeOfId(id)).toBe(Date.parse(time))
    expect(timeOfId(`oae${id.slice(3)}`)).toBe(Date.parse(time))
  }
  for (const id of ['', 'req', '4bf92f3577b34da6a3ce929d0e0e4736', 'trsZZZZZZabcdefghijk']) {
    expect(timeOfId(id)).toBeUndefined()
  }
})
