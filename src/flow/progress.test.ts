import { describe, expect, test } from 'vitest'
import { authenticators } from '../../test/support/walks.ts'
import {
  begin,
  beginByToken,
  type Challenge,
  cancel,
  challenge,
  close,
  ended,
  expire,
  identify,
  miss,
  missesAllowed,
  type Progress,
  type Proof,
  prove,
  recover,
  replace,
  skip,
  upgraded,
} from './progress.ts'

const opened: Challenge = {
  authenticator: 'okta_email',
  method: 'email',
  purpose: 'verify',
  startedAt: 1,
  expiresAt: 2,
  linkHash: 'hash',
  data: {},
}
const byMail: Proof = {
  authenticator: 'okta_email',
  type: 'email',
  method: 'email',
  factors: ['possession'],
  traits: [],
  at: 5,
}
const byPassword: Proof = {
  authenticator: 'okta_password',
  type: 'password',
  method: 'password',
  factors: ['knowledge'],
  traits: [],
  at: 5,
}
const mary = { identifier: 'mary@example.com', userId: '00u1' }
const frozen = (progress: Progress): Progress => Object.freeze(progress)
const atTheCode = frozen(challenge(recover(identify(begin(), mary)), opened))

test('nothing is known at the beginning', () => {
  expect(begin()).toEqual({ format: 2, intent: 'sign-in', proofs: [], misses: 0, replaced: [] })
})

test('a subject stays when a sign-in turns into a recovery, and the open challenge ends', () => {
  const challenged = challenge(identify(begin(), mary), opened)

  expect(recover(challenged)).toEqual({ ...begin(), subject: mary, intent: 'recovery' })
})

test('a recovery that begins by a token has a proof, which is no factor', () => {
  const progress = beginByToken(mary, { tokenId: 'token', at: 5 })

  expect(progress).toMatchObject({ intent: 'recovery', subject: mary })
  expect(progress.proofs).toMatchObject([{ tokenId: 'token', factors: [] }])
})

test('a challenge takes the place of the one before', () => {
  const second = { ...opened, startedAt: 3 }

  expect(challenge(atTheCode, second).challenge).toEqual(second)
})

test('a right answer ends its challenge, so that a code counts once', () => {
  const proven = prove(atTheCode, byMail)

  expect(proven).not.toHaveProperty('challenge')
  expect(proven.proofs).toEqual([byMail])
  expect(proven.misses).toBe(0)
})

test('a new credential is no proof', () => {
  const replaced = replace(atTheCode, 'okta_password')

  expect(replaced).toMatchObject({ proofs: [], replaced: ['okta_password'] })
  expect(replaced).not.toHaveProperty('challenge')
})

test('a credential that has expired is noted', () => {
  expect(expire(begin(), 'okta_password').expired).toEqual(['okta_password'])
})

test('declining ends an enrolment that was under way', () => {
  const enrolling = challenge(prove(atTheCode, byMail), { ...opened, purpose: 'enroll' })

  expect(skip(enrolling)).toMatchObject({ skipped: true, proofs: [byMail] })
  expect(skip(enrolling)).not.toHaveProperty('challenge')
})

describe('a wrong answer', () => {
  test('is counted, and the fifth closes the transaction', () => {
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
      prove(missed, byMail),
      replace(missed, 'okta_password'),
      skip(missed),
    ]

    expect(next.map(({ misses }) => misses)).toEqual([2, 2, 2, 2, 2, 2])
  })
})

test('what is closed holds no challenge any more', () => {
  for (const progress of [cancel(atTheCode), close(atTheCode, 'denied'), close(atTheCode, 'completed')]) {
    expect(progress).not.toHaveProperty('challenge')
  }
  expect(cancel(atTheCode).closed).toBe('cancelled')
})

describe('a transaction that something else ended', () => {
  test('goes on as that of an unknown user while nothing is proven: what is asked stays', () => {
    const decoy = ended(miss(atTheCode))

    expect(decoy).toMatchObject({ decoy: true, challenge: opened, misses: 1, intent: 'recovery' })
    expect(decoy.subject).toEqual({ identifier: mary.identifier })
    expect(decoy.closed).toBeUndefined()
  })

  test('is the same for an unknown user, and once it is a decoy', () => {
    const unknown = challenge(identify(begin(), { identifier: mary.identifier }), opened)

    expect(ended(unknown)).toEqual({ ...unknown, decoy: true })
    expect(ended(ended(atTheCode))).toEqual(ended(atTheCode))
  })

  test('is closed once something is proven, and where no user is named', () => {
    for (const progress of [prove(atTheCode, byMail), begin()]) {
      expect(ended(progress).closed).toBe('superseded')
    }
  })

  test('stays as it ended, where it was over before', () => {
    const cancelled = cancel(atTheCode)

    expect(ended(cancelled)).toBe(cancelled)
  })
})

describe('a progress of format 1', () => {
  const old = {
    format: 1,
    intent: 'recovery',
    subject: mary,
    proofs: [{ authenticator: 'okta_email', at: 5 }],
    misses: 2,
    replaced: [],
  } as const

  test('gets the evidence of its proofs', () => {
    expect(upgraded(old, authenticators)).toEqual({ ...old, format: 2, proofs: [byMail] })
  })

  test('gets the method and the purpose of its challenge', () => {
    const { method: _, purpose: __, ...asked } = opened

    expect(upgraded({ ...old, challenge: asked }, authenticators).challenge).toEqual(opened)
  })

  test('keeps a token that it was proven by, which is no factor', () => {
    const byToken = { ...old, proofs: [{ authenticator: 'recovery_token', at: 5, tokenId: 'token' }] }

    expect(upgraded(byToken, authenticators)).toEqual({
      ...beginByToken(mary, { tokenId: 'token', at: 5 }),
      misses: 2,
    })
  })

  test('has no proof of a credential that it replaced: in format 1 that was one', () => {
    const reset = {
      ...old,
      proofs: [...old.proofs, { authenticator: 'okta_password', at: 7 }],
      replaced: ['okta_password'],
    }

    expect(upgraded(reset, authenticators)).toMatchObject({ proofs: [byMail], replaced: ['okta_password'] })
  })

  test('keeps that it expired, ended or is a decoy', () => {
    const facts = { expired: ['okta_password'], decoy: true, closed: 'superseded' } as const

    expect(upgraded({ ...old, ...facts }, authenticators)).toMatchObject(facts)
  })

  test('is read once: one of today stays as it is', () => {
    const today = prove(identify(begin(), mary), byPassword)

    expect(upgraded(today, authenticators)).toBe(today)
  })
})
