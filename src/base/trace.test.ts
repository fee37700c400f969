import { describe, expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { systemRandom } from './random.ts'
import { parseTraceparent, presentTrace, traced, traceOf, untraced } from './trace.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = '00f067aa0ba902b7'
const good = `00-${trace}-${span}-01`

describe('a traceparent', () => {
  test.each([
    [good, '01'],
    [`00-${trace}-${span}-00`, '00'],
    // Flags that are not defined are cleared.
    [`00-${trace}-${span}-ff`, '01'],
    [`00-${trace}-${span}-fe`, '00'],
    // Later versions may append more fields.
    [`01-${trace}-${span}-01`, '01'],
    [`cc-${trace}-${span}-01-what-the-future-will-be-like`, '01'],
    [`fe-${trace}-${span}-01-`, '01'],
  ])('is read: %s', (header, flags) => {
    expect(parseTraceparent(header)).toEqual({ trace_id: trace, span_id: span, trace_flags: flags })
  })

  test.each([
    undefined,
    null,
    42,
    [good, good],
    '',
    '-',
    `${good}, ${good}`,
    ` ${good}`,
    `${good} `,
    `${good}\n`,
    good.toUpperCase(),
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-01-`,
    `00-${trace}-${span}-1`,
    `00-${trace}-${span}-01x`,
    `01-${trace}-${span}-01x`,
    `00-${trace}-${span}`,
    `00-${trace.slice(1)}-${span}-01`,
    `00-${trace}0-${span}-01`,
    `00-${trace}-${span}0-01`,
    `0-${trace}-${span}-01`,
    `00_${trace}_${span}_01`,
    `00-${trace.replace('4', 'g')}-${span}-01`,
    `00-${trace.replace('4', '٤')}-${span}-01`,
    `01-${trace}-${span}-01-${'x'.repeat(5000)}`,
    `00-${trace}-${span}-01","level":"fatal`,
  ])('that is malformed is not repaired: %j', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
    const created = traceOf(header, systemRandom)()
    expect(created.trace_id).toMatch(/^(?!0{32})[\da-f]{32}$/)
    expect(created.span_id).toMatch(/^(?!0{16})[\da-f]{16}$/)
    expect(created).not.toMatchObject({ trace_id: trace })
  })

  test('that is created is never all zeros, and stays the same', () => {
    const zeros = traceOf(undefined, { bytes: (length) => Buffer.alloc(length) })
    expect(zeros()).toEqual({
      trace_id: `${'0'.repeat(31)}1`,
      span_id: `${'0'.repeat(15)}1`,
      trace_flags: '00',
    })
    const created = traceOf(undefined, systemRandom)
    expect(created()).toBe(created())
  })
})

test('log lines carry the trace of the current context, and none outside of it', async () => {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  await traced(traceOf(good, systemRandom), async () => {
    await new Promise((resolve) => setImmediate(resolve))
    log.info({ a: 1 }, 'in it')
    untraced(() => log.info('started by it, untraced'))
  })
  log.info('outside')
  expect(lines).toMatchObject([
    { trace_id: trace, span_id: span, trace_flags: '01', a: 1, msg: 'in it' },
    {},
    {},
  ])
  for (const line of lines.slice(1)) expect(line).not.toHaveProperty('trace_id')
  expect(presentTrace()).toBeUndefined()
})
