import type { Request } from 'express'
import { expect, test } from 'vitest'
import { beginAttempt, passingStorage, resumeAttempt, transactionStorage } from './okta.ts'

const stored = (state: string, more = '') => JSON.stringify({ state, more })
const key = 'okta-transaction-storage'

function browser() {
  const request = { session: {} } as Request
  return { request, storage: transactionStorage(request) }
}

test('a new start leaves the earlier attempt for its mail link to take up', () => {
  const { request, storage } = browser()
  storage.setItem(key, stored('first'))
  beginAttempt(request)
  expect(storage.getItem(key)).toBeUndefined()
  storage.setItem(key, stored('second'))
  resumeAttempt(request, 'first')
  expect(storage.getItem(key)).toBe(stored('first'))
})

test('a link of an attempt of another browser changes nothing', () => {
  const { request, storage } = browser()
  storage.setItem(key, stored('mine'))
  resumeAttempt(request, 'foreign')
  expect(storage.getItem(key)).toBe(stored('mine'))
})

test('a finished attempt is forgotten, the others stay', () => {
  const { request, storage } = browser()
  storage.setItem(key, stored('first'))
  storage.setItem(key, stored('second'))
  storage.setItem(key, stored('second', 'next step'))
  expect(storage.getItem(key)).toBe(stored('second', 'next step'))
  storage.removeItem?.(key)
  expect(storage.getItem(key)).toBeUndefined()
  resumeAttempt(request, 'second')
  expect(storage.getItem(key)).toBeUndefined()
  resumeAttempt(request, 'first')
  expect(storage.getItem(key)).toBe(stored('first'))
})

test('a browser has few attempts open, so that a session cannot grow without end', () => {
  const { request, storage } = browser()
  for (let count = 0; count < 50; count++) storage.setItem(key, stored(`attempt-${count}`))
  expect(request.session.transactions?.map(({ state }) => state)).toEqual([
    'attempt-47',
    'attempt-48',
    'attempt-49',
  ])
})

test('the empty value that the SDK writes after clearing is not an attempt', () => {
  const { request, storage } = browser()
  storage.setItem(key, '{}')
  expect(request.session.transactions).toBeUndefined()
})

test('a passing storage leaves no trace in the session', () => {
  const storage = passingStorage()
  storage.setItem('key', 'value')
  expect(storage.getItem('key')).toBe('value')
  expect(passingStorage().getItem('key')).toBeUndefined()
})
