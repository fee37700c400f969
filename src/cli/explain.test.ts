import { expect, test } from 'vitest'
import { apiError } from '../base/index.ts'
import { SchemaError } from '../storage/index.ts'
import { translateDatabaseError } from '../storage/unavailable.ts'
import { explain } from './explain.ts'

test('a command prints what the database says, not that the service is unavailable', () => {
  const fault = (code: string, message: string) =>
    explain(translateDatabaseError(Object.assign(new Error(message), { code })))
  for (const [code, message] of [
    ['53100', 'could not extend file: No space left on device'],
    ['57014', 'canceling statement due to statement timeout'],
    ['40P01', 'deadlock detected'],
  ] as const) {
    const lines = fault(code, message)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(new RegExp(`^rekey: the database .*: ${message}$`))
  }
  expect(explain(new SchemaError('the migration 0099-next failed: why'))).toEqual([
    'rekey: the migration 0099-next failed: why',
  ])
})

test('of a password that breaks one of many rules a command prints that one', () => {
  const list =
    'password: Password requirements were not met. Password requirements: at least 12 characters, …'
  const causes = [list, 'password: not met: at least 12 characters', 'login: is needed']

  expect(explain(apiError('E0000001', { causes }))).toEqual([
    'rekey: password: not met: at least 12 characters',
    'rekey: login: is needed',
  ])
  expect(explain(apiError('E0000001', { causes: [list] }))).toEqual([`rekey: ${list}`])
})
