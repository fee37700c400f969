import { describe, expect, test } from 'vitest'
import { anyRules } from '../../test/support/walks.ts'
import type { Policy } from '../policies/index.ts'
import {
  begin,
  challenge,
  close,
  expire,
  identify,
  type Progress,
  prove,
  recover,
  replace,
} from './progress.ts'
import { choicesOf, stageOf } from './stage.ts'

const standard: Policy = {
  password: anyRules,
  recovery: {
    authenticators: ['okta_email'],
    offerRevokeSessions: false,
    revealUnknown: false,
    signIn: true,
    secondFactor: 'if-enrolled',
    unlocks: true,
  },
  lockout: { maxAttempts: 0, autoUnlockMinutes: 0 },
  signOn: {
    start: 'password',
    factors: 1,
    access: 'ALLOW',
    authenticators: ['okta_password', 'okta_email'],
    alternatives: [],
  },
}
const twoFactors: Policy = { ...standard, signOn: { ...standard.signOn, factors: 2 } }
const byMailOnly: Policy = { ...standard, signOn: { ...standard.signOn, alternatives: [['okta_email']] } }
const twoProofs: Policy = { ...standard, recovery: { ...standard.recovery, secondFactor: 'required' } }

const mary = identify(begin(), { identifier: 'mary@example.com', userId: '00u1' })
const opened = (progress: Progress, authenticator: string) =>
  challenge(progress, { authenticator, startedAt: 0, expiresAt: 1, data: null })
const proves = (progress: Progress, authenticator: string) => prove(progress, { authenticator, at: 0 })
const byPassword = proves(mary, 'okta_password')
const byMail = proves(recover(mary), 'okta_email')

const rows: readonly (readonly [what: string, progress: Progress, policy: Policy, stage: string])[] = [
  ['nothing', begin(), standard, 'identify'],
  ['that a password was forgotten', recover(begin()), standard, 'identify-recovery'],
  ['who it is', mary, standard, 'select'],
  ['whose password was forgotten', recover(mary), standard, 'select'],
  ['what is being asked', opened(mary, 'okta_password'), standard, 'verify'],
  ['a password', byPassword, standard, 'granted'],
  ['a password where two factors are needed', byPassword, twoFactors, 'select'],
  ['both factors', proves(byPassword, 'okta_email'), twoFactors, 'granted'],
  ['a password where the app asks for the mailbox', byPassword, byMailOnly, 'select'],
  ['the mailbox that the app asks for', proves(mary, 'okta_email'), byMailOnly, 'granted'],
  ['the same factor twice', proves(byPassword, 'okta_password'), twoFactors, 'select'],
  ['a password that has expired', expire(byPassword, 'okta_password'), standard, 'reenroll'],
  [
    'one that was replaced',
    replace(expire(byPassword, 'okta_password'), 'okta_password', 1),
    standard,
    'granted',
  ],
  ['one that has expired, of two factors', expire(byPassword, 'okta_password'), twoFactors, 'select'],
  ['the mailbox in a recovery', byMail, standard, 'reset'],
  ['the mailbox, where a recovery takes two proofs', byMail, twoProofs, 'select'],
  [
    'the password in a recovery, which proves nothing there',
    proves(recover(mary), 'okta_password'),
    standard,
    'select',
  ],
  ['a new password', replace(byMail, 'okta_password', 1), standard, 'granted'],
  ['a new password, which is a factor', replace(byMail, 'okta_password', 1), twoFactors, 'granted'],
  ['that it is over, whatever else', close(opened(mary, 'okta_email'), 'cancelled'), standard, 'closed'],
]

test.each(rows)('with %s the stage is told', (_, progress, policy, stage) => {
  expect(stageOf(progress, policy)).toBe(stage)
})

describe('the choice', () => {
  test('at a sign-in is between password and mail, less what is proven', () => {
    expect(choicesOf(mary, standard)).toEqual(['okta_password', 'okta_email'])
    expect(choicesOf(byPassword, twoFactors)).toEqual(['okta_email'])
  })

  test('in a recovery is what the policy says, and never the password', () => {
    expect(choicesOf(recover(mary), standard)).toEqual(['okta_email'])
    expect(choicesOf(byMail, twoProofs)).toEqual([])
  })
})
