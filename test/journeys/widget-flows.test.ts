import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { widgetFlows } from './widget-flows.ts'

test.each(widgetFlows)('$flow is walked through by a test of its file', ({ file, test: title }) => {
  expect(readFileSync(join(import.meta.dirname, file), 'utf8')).toContain(`'${title}`)
})
