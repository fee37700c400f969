import { expect, test } from 'vitest'
import { flowOutcomesOf } from './flow-outcomes.ts'
import { begin, cancel, close, identify, type Progress, recover } from './progress.ts'

const mary = { identifier: 'mary@example.com', userId: '00umary' }
const named = identify(begin(), mary)
const recovering = recover(named)
const turns = (before: Progress, progress: Progress) =>
  flowOutcomesOf(before, { progress }).map(({ intent, outcome }) => `${intent} ${outcome}`)

test('a conversation starts once somebody is named, known or not', () => {
  expect(turns(begin(), recover(begin()))).toEqual([])
  expect(turns(begin(), named)).toEqual(['sign-in started'])
  expect(turns(begin(), identify(begin(), { identifier: 'nobody' }))).toEqual(['sign-in started'])
  expect(turns(recover(begin()), identify(recover(begin()), mary))).toEqual(['recovery started'])
  // Named again, or asked for something, it goes on.
  expect(turns(named, identify(named, mary))).toEqual([])
})

test('a sign-in that turns into a recovery starts as one', () => {
  expect(turns(named, recovering)).toEqual(['recovery started'])
  expect(turns(recovering, recover(recovering))).toEqual([])
})

test.each([
  ['completed', 'granted'],
  ['recovered', 'recovered'],
  ['denied', 'denied'],
  ['locked', 'too_many_attempts'],
  ['cancelled', 'cancelled'],
] as const)('one that is closed as %s counts as %s, once', (closed, outcome) => {
  expect(turns(recovering, close(recovering, closed))).toEqual([`recovery ${outcome}`])
  expect(turns(close(recovering, closed), close(recovering, closed))).toEqual([])
})

test('what never began does not end', () => {
  expect(turns(begin(), cancel(begin()))).toEqual([])
  expect(turns(recover(begin()), cancel(recover(begin())))).toEqual([])
})

test('what begins and ends in one step counts as both, and what somebody else ended as neither', () => {
  expect(turns(begin(), close(named, 'completed'))).toEqual(['sign-in started', 'sign-in granted'])
  expect(turns(named, close(named, 'superseded'))).toEqual([])
})
