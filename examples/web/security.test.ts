import type { Request } from 'express'
import { expect, test } from 'vitest'
import { csrfToken, isOwnForm, readForm } from './security.ts'

test('a field is one short text', () => {
  expect(readForm({ username: 'mary' })('username')).toBe('mary')
  expect(readForm(undefined)('username')).toBe('')
  expect(readForm({})('toString')).toBe('')
  expect(() => readForm({ username: ['mary', 'eve'] })).toThrow()
  expect(() => readForm({ username: { $ne: '' } })).toThrow()
  expect(() => readForm({ username: 'x'.repeat(1025) })).toThrow()
})

test('only the token of the same session makes a form our own', () => {
  const request = { session: {} } as Request
  expect(isOwnForm(request, () => '')).toBe(false)
  const token = csrfToken(request)
  expect(csrfToken(request)).toBe(token)
  expect(isOwnForm(request, () => token)).toBe(true)
  expect(isOwnForm(request, () => `${token}x`)).toBe(false)
  expect(isOwnForm({ session: {} } as Request, () => token)).toBe(false)
})
