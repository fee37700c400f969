import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('counters, histograms and gauges have the text format of Prometheus', async () => {
  const metrics = createMetrics()
  metrics.describe('requests_total', 'All requests.')
  metrics.count('requests_total', { route: '/a "b"\\\n', status: '200' })
  metrics.count('requests_total', { route: '/a "b"\\\n', status: '200' }, 2)
  metrics.count('bare_total')
  metrics.observe('seconds', 0.03, { route: '/a' })
  metrics.observe('seconds', 20, { route: '/a' })
  metrics.gauge('depth', 'How deep.', async () => 7)

  const text = await metrics.print()

  expect(text).toContain(
    '# HELP requests_total All requests.\n# TYPE requests_total counter\n' +
      'requests_total{route="/a \\"b\\"\\\\\\n",status="200"} 3\n',
  )
  expect(text).toContain('# TYPE bare_total counter\nbare_total 1\n')
  expect(text).toContain('seconds_bucket{route="/a",le="0.025"} 0\nseconds_bucket{route="/a",le="0.05"} 1\n')
  expect(text).toContain('seconds_bucket{route="/a",le="10"} 1\nseconds_bucket{route="/a",le="+Inf"} 2\n')
  expect(text).toContain('seconds_sum{route="/a"} 20.03\nseconds_count{route="/a"} 2\n')
  expect(text).toContain('# HELP depth How deep.\n# TYPE depth gauge\ndepth 7\n')
})
