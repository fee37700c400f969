import { expect, test } from 'vitest'
import { progressBar } from './progress.ts'

test.each([
  [0, 10, 0, '  0 %'],
  [1, 3, 8, ' 33 %'],
  [999, 1000, 23, ' 99 %'],
  [10, 10, 24, '100 %'],
  // A file that grew meanwhile, and nothing to do at all.
  [11, 10, 24, '100 %'],
  [0, 0, 24, '100 %'],
])('%i of %i is a bar of %i', (done, of, full, percent) => {
  expect(progressBar(done, of, 'rows')).toBe(`${'█'.repeat(full)}${'░'.repeat(24 - full)} ${percent}  rows`)
})
