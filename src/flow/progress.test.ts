import { describe, expect, test } from 'vitest'
import {
  begin,
  cancel,
  challenge,
  close,
  expire,
  identify,
  miss,
  missesAllowed,
  type Progress,
  prove,
  recover,
  replace,
} from './progress.ts'

const opened = { authenticator: 'okta_email', startedAt: 1, expiresAt: 2, linkHash: 'hash', data: {} }
const mary = { identifier: 'mary@example.com', userId: '00u1' }
const frozen = (progress: Progress): Progress => Object.freeze(progress)
const atTheCode = frozen(challenge(recover(identify(begin(), mary)), opened))

test('nothing is known at the beginning', () => {
  expect(begin()).toEqual({ format: 1, intent: 'sign-in', proofs: [], misses: 0, replaced: [] })
})

test('whoever is named stays named when a sign-in turns into a recovery, and the open challenge ends', () => {
  const challenged = challenge(identify(begin(), mary), opened)

  expect(recover(challenged)).toEqual({ ...begin(), subject: mary, intent: 'recovery' })
})

test('a challenge takes the place of the one before', () => {
  const second = { ...opened, startedAt: 3 }

  expect(challenge(atTheCode, second).challenge).toEqual(second)
})

test('a right answer ends its challenge, so that a code counts once', () => {
  const proven = prove(atTheCode, { authenticator: 'okta_email', at: 5 })

  expect(proven).not.toHaveProperty('challenge')
  expect(proven.proofs).toEqual([{ authenticator: 'okta_email', at: 5 }])
  expect(proven.misses).toBe(0)
})

test('a new credential is a proof as well', () => {
  const replaced = replace(atTheCode, 'okta_password', 7)

  expect(replaced).toMatchObject({
    proofs: [{ authenticator: 'okta_password', at: 7 }],
    replaced: ['okta_password'],
  })
})

test('a proof whose time is over is taken note of', () => {
  expect(expire(begin(), 'okta_password').expired).toEqual(['okta_password'])
})

describe('a wrong answer', () => {
  test('is counted, and the fifth closes the conversation', () => {
    let progress = atTheCode
    for (let guess = 1; guess < missesAllowed; guess++) {
      progress = miss(progress)
      expect(progress).toMatchObject({ misses: guess, challenge: opened })
      expect(progress.closed).toBeUndefined()
    }

    expect(miss(progress)).toMatchObject({ misses: 5, closed: 'locked' })
    expect(miss(progress)).not.toHaveProperty('challenge')
  })

  test('stays counted, whatever is asked next', () => {
    const missed = miss(miss(atTheCode))
    const next = [
      challenge(missed, opened),
      recover(missed),
      identify(missed, mary),
      replace(missed, 'okta_password', 1),
    ]

    expect(next.map(({ misses }) => misses)).toEqual([2, 2, 2, 2])
  })
})

test('what is closed holds no challenge any more', () => {
  for (const progress of [cancel(atTheCode), close(atTheCode, 'denied'), close(atTheCode, 'completed')]) {
    expect(progress).not.toHaveProperty('challenge')
  }
  expect(cancel(atTheCode).closed).toBe('cancelled')
})
