import { expect, test } from 'vitest'
import { authenticators } from '../../test/support/walks.ts'
import { policyWith, standard } from '../../test/support/worlds.ts'
import { evidenceOf, factorsOf } from '../policies/index.ts'
import {
  begin,
  beginByToken,
  identify,
  type Progress,
  type Proof,
  prove,
  recover,
  register,
  replace,
  unlock,
} from './progress.ts'
import { evidenceIn, policyOf, replaceable, type Situation } from './situation.ts'

const situation: Situation = {
  ownPolicy: policyWith({ signOn: { access: 'DENY' } }),
  policyBeforeProof: standard,
  authenticators,
  person: { status: 'ACTIVE' },
  assigned: true,
  enrolled: new Set(),
}
const mary = { identifier: 'mary@example.com', userId: '00u1' }
const signIn = identify(begin(), mary)
const recovery = recover(signIn)
const byToken = beginByToken(mary, { tokenId: 'token', at: 0 })

function by(progress: Progress, key: string, more: Partial<Proof> = {}): Progress {
  const authenticator = authenticators.get(key)
  if (authenticator === undefined) throw new Error(`there is no ${key}`)
  return prove(progress, { ...evidenceOf(authenticator), at: 0, ...more })
}
const reset = (progress: Progress) => replace(progress, 'okta_password')
const setByMail = { setBy: 'okta_email' }

type Row = readonly [what: string, progress: Progress, factors: readonly string[]]

test.each<Row>([
  ['nothing proven', signIn, []],
  ['a password', by(signIn, 'okta_password'), ['knowledge']],
  [
    'a password and a mailed code',
    by(by(signIn, 'okta_password'), 'okta_email'),
    ['knowledge', 'possession'],
  ],
  ['a mailed code and an app', by(by(signIn, 'okta_email'), 'google_otp'), ['possession']],

  // The administrator who made a token could use it, too: what it proves is as much theirs.
  ['a token', byToken, []],
  ['a token, and the password that it led to: the one factor there is', reset(byToken), ['knowledge']],
  ['a token, a mailed code and the new password', reset(by(byToken, 'okta_email')), ['possession']],
  ['a token, an app and the new password', reset(by(byToken, 'google_otp')), ['knowledge', 'possession']],

  // The mailbox alone is never two factors.
  ['a password set by a mailed code (A54)', reset(by(recovery, 'okta_email')), ['possession']],
  [
    'a password set by a mailed code and an app, which the mailbox does not set',
    reset(by(by(recovery, 'okta_email'), 'google_otp')),
    ['knowledge', 'possession'],
  ],
  [
    'a password set by a mailed code, and an app that was proven after it',
    by(reset(by(recovery, 'okta_email')), 'google_otp'),
    ['knowledge', 'possession'],
  ],
  [
    'a password that was proven, had expired and was replaced',
    reset(by(signIn, 'okta_password')),
    ['knowledge'],
  ],

  // Where the policy counts the two as one factor, in later sign-ins.
  ['a password that a mail has set once', by(signIn, 'okta_password', setByMail), ['knowledge']],
  [
    'the same with a mailed code, whichever came first',
    by(by(signIn, 'okta_password', setByMail), 'okta_email'),
    ['possession'],
  ],
  [
    'the same with a mailed code, that came first',
    by(by(signIn, 'okta_email'), 'okta_password', setByMail),
    ['possession'],
  ],
  [
    'the same with an app',
    by(by(signIn, 'okta_password', setByMail), 'google_otp'),
    ['knowledge', 'possession'],
  ],
])('%s', (_, progress, factors) => {
  expect([...factorsOf(evidenceIn(progress, situation))].toSorted()).toEqual(factors)
})

test('a new password is what a policy may ask for by name, whether or not it is a factor', () => {
  const evidence = evidenceIn(reset(by(recovery, 'okta_email')), situation)

  expect(evidence).toMatchObject([{ type: 'email' }, { type: 'password', counts: false }])
})

test('a password that was proven and replaced is evidence once', () => {
  expect(evidenceIn(reset(by(signIn, 'okta_password')), situation)).toHaveLength(1)
})

test.each([
  ['carried by a session', { carried: true as const }, 0],
  ['proven in this transaction', {}, 1],
])('what was %s, by a method that is switched off now', (_, more, counted) => {
  const off = { ...situation, ownPolicy: { ...standard, methodsOff: { okta_email: ['email'] } } }
  expect(evidenceIn(by(signIn, 'okta_email', more), off)).toHaveLength(counted)
  expect(evidenceIn(by(signIn, 'okta_email', more), { ...off, ownPolicy: standard })).toHaveLength(1)
})

test('a recovery, an unlock and a sign-up take nothing of what a session carries (A74)', () => {
  const carried = { ...by(by(signIn, 'okta_email', { carried: true }), 'okta_password'), carriedBy: 'ses1' }
  for (const turned of [recover(carried), unlock(carried), register(carried)]) {
    expect(turned.proofs.map(({ authenticator }) => authenticator)).toEqual(['okta_password'])
    expect(turned.carriedBy).toBeUndefined()
  }
})

test("the user's own policy counts from the first proof on, not before (A53)", () => {
  expect(policyOf(signIn, situation)).toBe(standard)
  expect(policyOf(by(signIn, 'okta_password'), situation)).toBe(situation.ownPolicy)
  expect(policyOf(byToken, situation)).toBe(situation.ownPolicy)
})

test('what a recovery replaces is the password', () => {
  expect(replaceable(situation).map(({ key }) => key)).toEqual(['okta_password'])
})
