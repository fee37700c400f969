import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attackTable, withTable } from '../../scripts/attacks-table.ts'
import { corpus } from './corpus.ts'
import { mutated, mutations } from './mutations.ts'

const document = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8')

test('the table of attacks in docs/security.md is that of the tests (node scripts/attacks-table.ts --write)', () => {
  expect(withTable(document)).toBe(document)
  expect(document).toContain(attackTable())
})

test('the titles in the table are without source code', () => {
  const code = attackTable()
    .split('\n')
    .filter((row) => /=>|\bexpect\(|\basync \(/.test(row.split(' | ')[2] ?? ''))
  expect(code).toEqual([])
})

test('every attack has a test and a mutation that its test must notice', () => {
  const untested = attackTable()
    .split('\n')
    .filter((row) => /^\| A\d{2} /.test(row) && row.includes('|  |'))
  expect(untested).toEqual([])
  const mutated = new Set(mutations.map(({ attack }) => attack))
  expect(Object.keys(corpus).filter((id) => !mutated.has(id))).toEqual([])
})

test.each(mutations)('the mutation of $attack without $without still applies', (mutation) => {
  const file = join(import.meta.dirname, '../..', mutation.file)
  const text = readFileSync(file, 'utf8')
  expect(mutated(text, mutation)).not.toBe(text)
})
