import { describe, expect, test } from 'vitest'
import { authenticators } from '../../test/support/walks.ts'
import { policyWith, standard, unlocking } from '../../test/support/worlds.ts'
import { type Demand, evidenceOf, type Policy } from '../policies/index.ts'
import { enrollmentsAsked, gracePeriods, maySkip } from './enrolling.ts'
import {
  begin,
  beginByToken,
  type Challenge,
  challenge,
  close,
  enrolls,
  expire,
  identify,
  type Progress,
  prove,
  recover,
  replace,
  skip,
  unlock,
} from './progress.ts'
import type { Situation } from './situation.ts'
import { choicesOf, decide, offeredAt, stageOf } from './stage.ts'

const demanding = (factors: 1 | 2, ...types: readonly string[]): Policy => {
  const alternatives = types.map((type) => [{ types: [type], traits: [] }])
  return policyWith({ signOn: { demand: { factors, alternatives } satisfies Demand } })
}
const twoFactors = demanding(2)
const byMailOnly = demanding(1, 'email')
const twoProofs = policyWith({ recovery: { secondFactor: 'required' } })
const enrolling = (required: boolean, from: Policy = standard): Policy =>
  policyWith({ enrollment: [{ key: 'google_otp', required }] }, from)
const enrollingBy = (gracePeriod: NonNullable<Policy['enrollment'][number]['gracePeriod']>): Policy =>
  policyWith({ enrollment: [{ key: 'google_otp', required: true, gracePeriod }] })

const active = { status: 'ACTIVE' } as const
const situation = (policy: Policy, others: Partial<Situation> = {}): Situation => ({
  ownPolicy: policy,
  policyBeforeProof: policy,
  authenticators,
  person: active,
  assigned: true,
  enrolled: new Set(['okta_password', 'okta_email']),
  ...others,
})
const hasApp = { enrolled: new Set(['okta_password', 'okta_email', 'google_otp']) }

const mary = { identifier: 'mary@example.com', userId: '00u1' }
const named = identify(begin(), mary)
const byToken = beginByToken(mary, { tokenId: 'token', at: 0 })
const opened = (progress: Progress, authenticator: string, more: Partial<Challenge> = {}) =>
  challenge(progress, {
    authenticator,
    method: '',
    purpose: 'verify',
    startedAt: 0,
    expiresAt: 1,
    data: null,
    ...more,
  })
function proves(progress: Progress, key: string, enrollmentId?: string): Progress {
  const authenticator = authenticators.get(key)
  if (authenticator === undefined) throw new Error(`there is no ${key}`)
  return prove(progress, { ...evidenceOf(authenticator), at: 0, ...(enrollmentId && { enrollmentId }) })
}
const byPassword = proves(named, 'okta_password')
const byMail = proves(recover(named), 'okta_email')
const reset = replace(byMail, 'okta_password')
const expired = expire(byPassword, 'okta_password')

const unlockedByMail = proves(unlock(named), 'okta_email')
const locked = { person: { status: 'LOCKED_OUT' } } as const

type Row = readonly [known: string, progress: Progress, situation: Situation, stage: string]

const rows: readonly Row[] = [
  ['nothing', begin(), situation(standard), 'identify'],
  ['that a password was forgotten', recover(begin()), situation(standard), 'identify-recovery'],
  ['who it is', named, situation(standard), 'select'],
  ['whose password was forgotten', recover(named), situation(standard), 'select'],
  ['an open challenge', opened(named, 'okta_password'), situation(standard), 'verify'],
  [
    'a challenge of which more must be known',
    opened(named, 'x', { pending: true }),
    situation(standard),
    'verify-data',
  ],
  ['an enrolment under way', opened(byPassword, 'x', { purpose: 'enroll' }), situation(standard), 'enroll'],
  [
    'one of which more must be known',
    opened(byPassword, 'x', { purpose: 'enroll', pending: true }),
    situation(standard),
    'enroll-data',
  ],
  ['a password', byPassword, situation(standard), 'granted'],
  ['a password where two factors are demanded', byPassword, situation(twoFactors), 'select'],
  ['two factors', proves(byPassword, 'okta_email'), situation(twoFactors), 'granted'],
  [
    'the same factor twice',
    proves(proves(named, 'okta_email'), 'google_otp'),
    situation(twoFactors, hasApp),
    'select',
  ],
  ['a password where the app asks for the mailbox', byPassword, situation(byMailOnly), 'select'],
  ['the mailbox that the app asks for', proves(named, 'okta_email'), situation(byMailOnly), 'granted'],
  ['a password that has expired', expired, situation(standard), 'reenroll'],
  ['one that was replaced', replace(expired, 'okta_password'), situation(standard), 'granted'],
  ['one that has expired, of two factors', expired, situation(twoFactors), 'select'],
  ['the mailbox in a recovery', byMail, situation(standard), 'reset'],
  [
    'the mailbox, where a recovery takes two proofs and the user has another',
    byMail,
    situation(twoProofs, hasApp),
    'select',
  ],
  [
    'the mailbox of a user who has an app, which is asked for, too (A34)',
    byMail,
    situation(standard, hasApp),
    'select',
  ],
  ['both of them', proves(byMail, 'google_otp'), situation(standard, hasApp), 'reset'],
  ['that an account is locked', unlock(begin()), situation(unlocking), 'identify-unlock'],
  ['the mailbox in an unlock', unlockedByMail, situation(unlocking, locked), 'unlocked'],
  [
    'the mailbox in an unlock of an account that is open by now',
    unlockedByMail,
    situation(unlocking),
    'unlocked',
  ],
  [
    'the mailbox in an unlock that takes two proofs',
    unlockedByMail,
    situation(policyWith({ recovery: { secondFactor: 'required' } }, unlocking), { ...locked, ...hasApp }),
    'select',
  ],
  [
    'both of them',
    proves(unlockedByMail, 'google_otp'),
    situation(policyWith({ recovery: { secondFactor: 'required' } }, unlocking), { ...locked, ...hasApp }),
    'unlocked',
  ],
  ['a token of an administrator', byToken, situation(standard), 'reset'],
  ['a token where a recovery takes two proofs', byToken, situation(twoProofs), 'select'],
  [
    'a token where a user recovers nothing alone',
    byToken,
    situation(policyWith({ recovery: { authenticators: [] } }, twoProofs)),
    'reset',
  ],
  ['a new password', reset, situation(standard), 'granted'],
  ['a new password, which is no factor besides the mailbox (A54)', reset, situation(twoFactors), 'recovered'],
  ['a new password and an app', reset, situation(twoFactors, hasApp), 'select'],
  [
    'a new password where a recovery signs no user in',
    reset,
    situation(policyWith({ recovery: { signIn: false } })),
    'recovered',
  ],
  ['a new password where an enrolment is required', reset, situation(enrolling(true)), 'recovered'],
  ['a new password where one is optional', reset, situation(enrolling(false)), 'granted'],
  [
    'a new password where one is required by a date',
    reset,
    situation(enrollingBy({ type: 'BY_DATE_TIME', expiry: 1000 }), { now: 999 }),
    'granted',
  ],
  [
    'a new password where that date is over',
    reset,
    situation(enrollingBy({ type: 'BY_DATE_TIME', expiry: 1000 }), { now: 1000 }),
    'recovered',
  ],
  [
    'a new password where one may be put off once more',
    reset,
    situation(enrollingBy({ type: 'BY_SKIP_COUNT', skipCount: 1 })),
    'granted',
  ],
  ['a password where an enrolment is required', byPassword, situation(enrolling(true)), 'select-enroll'],
  ['a password where an enrolment is optional', byPassword, situation(enrolling(false)), 'select-enroll'],
  ['that it was declined', skip(byPassword), situation(enrolling(false)), 'granted'],
  ['that a required one was declined', skip(byPassword), situation(enrolling(true)), 'select-enroll'],
  ['what the policy asks to be enrolled', byPassword, situation(enrolling(true), hasApp), 'granted'],
  [
    'a factor that was enrolled a moment ago',
    proves(byPassword, 'google_otp'),
    situation(enrolling(true, twoFactors)),
    'granted',
  ],
  [
    'that it is over, whatever else',
    close(opened(named, 'okta_email'), 'cancelled'),
    situation(standard),
    'closed',
  ],
]

test.each(rows)('where what is known is %s', (_, progress, at, stage) => {
  expect(stageOf(progress, at)).toBe(stage)
})

describe('a user is refused, by a rule,', () => {
  const denied = (progress: Progress, at: Situation) => decide(progress, at).denied?.rule
  const suspended = { person: { status: 'SUSPENDED' } } as const
  const deny = policyWith({ signOn: { access: 'DENY' } })

  test('not before a proof', () => {
    for (const progress of [named, recover(named), opened(named, 'okta_email')]) {
      const at = { ...suspended, assigned: false }
      expect(denied(progress, situation(deny, at))).toBeUndefined()
    }
  })

  test.each([
    ['the policy of the app', byPassword, situation(deny), 'policy signOn.access'],
    ['the status', byPassword, situation(standard, suspended), 'status SUSPENDED'],
    ['the status in a recovery', byMail, situation(standard, suspended), 'status SUSPENDED'],
    ['an app of others', byPassword, situation(standard, { assigned: false }), 'not-assigned'],
    ['an app of others in a recovery', byMail, situation(standard, { assigned: false }), 'not-assigned'],
    [
      'a lockout that no recovery ends',
      byMail,
      situation(policyWith({ recovery: { unlocks: false } }), { person: { status: 'LOCKED_OUT' } }),
      'policy selfServiceUnlock',
    ],
    [
      'a demand that the user has nothing for',
      byPassword,
      situation(demanding(1, 'app')),
      'policy signOn.factors',
    ],
    [
      'a second proof that the user has nothing for',
      byMail,
      situation(twoProofs),
      'policy recovery.secondFactor',
    ],
    // After a proof in a removed account there is no status any more.
    ['a user who was removed', byPassword, situation(standard, { person: undefined }), 'status REMOVED'],
  ] as const)('%s', (_, progress, at, rule) => {
    expect(denied(progress, at)).toBe(rule)
  })

  test('not each time a transaction is read', () => {
    const read = { ...suspended, assigned: undefined }
    expect(decide(byPassword, situation(standard, read))).toEqual({ stage: 'granted' })
  })

  test('but not for a password that has expired, which is replaced first', () => {
    const at = situation(standard, { person: { status: 'PASSWORD_EXPIRED' } })
    expect(denied(expired, at)).toBeUndefined()
    expect(denied(proves(named, 'okta_email'), at)).toBe('status PASSWORD_EXPIRED')
  })
})

describe('the choice', () => {
  test('before a proof is what the policy of all names offers, whatever the user has (A53)', () => {
    const own = policyWith({ signOn: { authenticators: ['google_otp'] } })
    const at = situation(own, { policyBeforeProof: standard, enrolled: new Set() })
    expect(choicesOf(named, at)).toEqual(['okta_password', 'okta_email'])
  })

  test('after it is what the user has and what brings the sign-in closer to the demand', () => {
    expect(choicesOf(byPassword, situation(twoFactors))).toEqual(['okta_email'])
    expect(choicesOf(byPassword, situation(twoFactors, hasApp))).toEqual(['okta_email', 'google_otp'])
    expect(choicesOf(proves(named, 'okta_email'), situation(twoFactors, hasApp))).toEqual(['okta_password'])
  })

  test('in a recovery is what the policy says, and never what is replaced', () => {
    expect(choicesOf(recover(named), situation(standard))).toEqual(['okta_email'])
    expect(choicesOf(byMail, situation(twoProofs))).toEqual([])
    expect(choicesOf(byMail, situation(twoProofs, hasApp))).toEqual(['google_otp'])
  })
})

describe('what is asked to be enrolled', () => {
  const two = policyWith({
    enrollment: [
      { key: 'example_phone', required: false },
      { key: 'google_otp', required: true },
    ],
  })
  const asked = (progress: Progress, at: Situation) => enrollmentsAsked(progress, at).map(({ key }) => key)

  test('is nothing before a proof', () => {
    expect(asked(named, situation(two))).toEqual([])
  })

  test('is what is required, then what is optional, which may be declined', () => {
    expect(asked(byPassword, situation(two))).toEqual(['google_otp'])
    expect(maySkip(byPassword, situation(two))).toBe(false)
    expect(asked(byPassword, situation(two, hasApp))).toEqual(['example_phone'])
    expect(maySkip(byPassword, situation(two, hasApp))).toBe(true)
    expect(asked(skip(byPassword), situation(two, hasApp))).toEqual([])
  })

  test('may not be declined where the demand is not met without it', () => {
    const at = situation(
      policyWith({ signOn: { authenticators: ['okta_password'] } }, enrolling(false, twoFactors)),
    )
    expect(stageOf(byPassword, at)).toBe('select-enroll')
    expect(maySkip(byPassword, at)).toBe(false)
    expect(asked(skip(byPassword), at)).toEqual(['google_otp'])
  })
})

describe('a required enrolment that may be put off', () => {
  const until = { type: 'BY_DATE_TIME', expiry: 1000 } as const
  const thrice = { type: 'BY_SKIP_COUNT', skipCount: 3 } as const
  const withPeriods = (...enrollment: Policy['enrollment']) => policyWith({ enrollment })
  const phoneUntil = { key: 'example_phone', required: true, gracePeriod: until }
  const appThrice = { key: 'google_otp', required: true, gracePeriod: thrice }
  const asked = (progress: Progress, at: Situation) => enrollmentsAsked(progress, at).map(({ key }) => key)

  test.each<readonly [string, Policy, Partial<Situation>, readonly string[], boolean]>([
    ['before its end', withPeriods(phoneUntil), { now: 999 }, ['example_phone'], true],
    ['at its end', withPeriods(phoneUntil), { now: 1000 }, ['example_phone'], false],
    ['with a skip left', withPeriods(appThrice), { skips: { google_otp: 2 } }, ['google_otp'], true],
    ['with none left', withPeriods(appThrice), { skips: { google_otp: 3 } }, ['google_otp'], false],
    [
      'with more used than there are',
      withPeriods(appThrice),
      { skips: { google_otp: 9 } },
      ['google_otp'],
      false,
    ],
    [
      'beside one that is due',
      withPeriods({ key: 'example_phone', required: true }, appThrice),
      {},
      ['example_phone', 'google_otp'],
      false,
    ],
    [
      'beside one whose time is over',
      withPeriods(phoneUntil, appThrice),
      { now: 1000 },
      ['example_phone', 'google_otp'],
      false,
    ],
    ['both', withPeriods(phoneUntil, appThrice), { now: 1 }, ['example_phone', 'google_otp'], true],
  ])('%s', (_, policy, others, expected, skippable) => {
    const at = situation(policy, others)
    expect(asked(byPassword, at)).toEqual(expected)
    expect(maySkip(byPassword, at)).toBe(skippable)
    // Declining says nothing about what is due (A68).
    expect(stageOf(skip(byPassword), at)).toBe(skippable ? 'granted' : 'select-enroll')
  })

  test('comes before what is optional, and declining it declines that, too', () => {
    const at = situation(withPeriods({ key: 'example_phone', required: false }, appThrice))
    expect(asked(byPassword, at)).toEqual(['google_otp'])
    expect(asked(skip(byPassword), at)).toEqual([])
  })

  test('is shown with what is left of it', () => {
    const at = situation(withPeriods(phoneUntil, appThrice), { now: 1, skips: { google_otp: 1 } })
    expect(gracePeriods(byPassword, at)).toEqual({
      example_phone: until,
      google_otp: { type: 'BY_SKIP_COUNT', remainingSkips: 2, skipCount: 3 },
    })
    expect(gracePeriods(byPassword, { ...at, now: 1000 })).toEqual({
      google_otp: { type: 'BY_SKIP_COUNT', remainingSkips: 2, skipCount: 3 },
    })
  })

  test('may not be declined where the app asks for it', () => {
    const at = situation(
      policyWith({ signOn: { authenticators: ['okta_password'] }, enrollment: [appThrice] }, twoFactors),
    )
    expect(stageOf(byPassword, at)).toBe('select-enroll')
    expect(maySkip(byPassword, at)).toBe(false)
    expect(stageOf(skip(byPassword), at)).toBe('select-enroll')
  })
})

describe('when an enrolment is asked for', () => {
  const asked = (progress: Progress, at: Situation) => enrollmentsAsked(progress, at).map(({ key }) => key)
  const optional = enrolling(false)

  test('optional ones at the first sign-in, and after another was enrolled', () => {
    const returning = { person: { ...active, lastLoginAt: 5 } }
    expect(asked(byPassword, situation(optional))).toEqual(['google_otp'])
    expect(asked(byPassword, situation(optional, returning))).toEqual([])
    const phone = { ...evidenceOf(authenticators.get('okta_email') ?? raise()), at: 0 }
    expect(asked(enrolls(byPassword, phone), situation(optional, returning))).toEqual(['google_otp'])
  })

  test('where the app is in need of one, only those that would help', () => {
    const policy = policyWith(
      {
        signOn: { authenticators: ['okta_password'] },
        enrollment: [
          { key: 'google_otp', required: false },
          { key: 'example_phone', required: false },
        ],
      },
      demanding(1, 'app'),
    )
    expect(asked(byPassword, situation(policy, { person: { ...active, lastLoginAt: 5 } }))).toEqual([
      'google_otp',
    ])
  })

  test('at a challenge only, where the rule says so', () => {
    const one = { key: 'google_otp', required: true, atChallenge: true as const }
    expect(stageOf(byPassword, situation(policyWith({ enrollment: [one] })))).toBe('granted')
    const challenged = policyWith({ enrollment: [one] }, twoFactors)
    expect(stageOf(proves(byPassword, 'okta_email'), situation(challenged))).toBe('select-enroll')
  })
})

describe('where the app asks for what can only be enrolled', () => {
  const owning = (key: string): Partial<Situation> => {
    const own = [{ id: 'own', authenticator: key, createdAt: 0 }]
    return {
      enrolled: new Set(['okta_password', 'okta_email', key]),
      owner: { own, proving: own, settled: own, isRecovered: false },
    }
  }
  const usable = ['okta_password', 'okta_email', 'example_phone', 'security_question', 'google_otp']
  const naming = (required: boolean, from: Policy, authenticators = usable): Policy =>
    policyWith(
      { signOn: { authenticators, active: authenticators }, enrollment: [{ key: 'google_otp', required }] },
      from,
    )
  const withoutMail = usable.filter((key) => key !== 'okta_email')

  test.each<readonly [string, string, Policy]>([
    ['a phone, where a rule names the app', 'example_phone', naming(true, demanding(1, 'app'))],
    ['a phone, where the app is optional', 'example_phone', naming(false, demanding(1, 'app'))],
    [
      'a question, where two factors are asked for',
      'security_question',
      naming(true, twoFactors, withoutMail),
    ],
  ])('a user who has %s, proves that first (A69)', (_, key, policy) => {
    const at = situation(policy, owning(key))
    expect(stageOf(byPassword, at)).toBe('select')
    expect(choicesOf(byPassword, at)).toEqual([key])
    expect(enrollmentsAsked(byPassword, at)).toEqual([])
    const proven = proves(byPassword, key)
    expect(stageOf(proven, at)).toBe('select-enroll')
    expect(maySkip(proven, at)).toBe(false)
    expect(stageOf(proves(proven, 'google_otp'), at)).toBe('granted')
  })

  test('a user whose own factors cannot be asked for is refused', () => {
    const at = situation(
      naming(true, demanding(1, 'app'), ['okta_password', 'google_otp']),
      owning('example_phone'),
    )
    expect(decide(byPassword, at)).toMatchObject({ denied: { rule: 'policy signOn.factors' } })
  })

  test('a user is refused without another step where no enrolment would be of help', () => {
    const at = situation(naming(true, demanding(1, 'security_key')), owning('example_phone'))
    expect(decide(byPassword, at)).toMatchObject({ denied: { rule: 'policy signOn.factors' } })
  })

  test('what helps comes first, and the factor that opens the enrolment after it', () => {
    const policy = policyWith(
      {
        signOn: {
          demand: {
            factors: 1,
            alternatives: [
              [
                { types: ['email'], traits: [] },
                { types: ['app'], traits: [] },
              ],
            ],
          },
        },
      },
      naming(true, standard),
    )
    const at = situation(policy, owning('example_phone'))
    expect(choicesOf(byPassword, at)).toEqual(['okta_email'])
    expect(choicesOf(proves(byPassword, 'okta_email'), at)).toEqual(['example_phone'])
  })
})

describe('of two enrollments of one kind', () => {
  const own = [
    { id: 'older', authenticator: 'example_phone', createdAt: 0 },
    { id: 'newer', authenticator: 'example_phone', createdAt: 2 },
  ]
  const policy = policyWith(
    { signOn: { authenticators: ['okta_password', 'example_phone', 'google_otp'] } },
    enrolling(true),
  )
  const at = situation(policy, {
    enrolled: new Set(['okta_password', 'okta_email', 'example_phone']),
    owner: { own, proving: own.slice(0, 1), settled: own.slice(0, 1), isRecovered: false },
  })
  const provesBy = (progress: Progress, enrollmentId: string) =>
    proves(progress, 'example_phone', enrollmentId)

  test('the one that opens no enrolment leaves the other to be proven (A76)', () => {
    const byNewer = provesBy(byPassword, 'newer')
    expect(stageOf(byNewer, at)).toBe('select')
    expect(offeredAt('select', byNewer, at)).toMatchObject({
      choices: ['example_phone'],
      provenBy: ['older'],
    })
    expect(stageOf(provesBy(byNewer, 'older'), at)).toBe('select-enroll')
  })

  test('the one that opens it is asked for alone', () => {
    expect(offeredAt('select', byPassword, at)).toMatchObject({
      choices: ['example_phone'],
      provenBy: ['older'],
    })
    expect(stageOf(provesBy(byPassword, 'older'), at)).toBe('select-enroll')
  })

  test('none is asked for whose methods an administrator has switched off', () => {
    const off = { ...policy, methodsOff: { example_phone: ['sms', 'voice'] } }
    expect(stageOf(byPassword, { ...at, ownPolicy: off })).not.toBe('select')
  })
})

describe('what a stage offers', () => {
  const at = situation(enrolling(false), { person: { ...active, lastLoginAt: null } })

  test('a selection: choices, and nothing to enrol', () => {
    expect(offeredAt('select', named, at)).toEqual({
      choices: choicesOf(named, at),
      enrollable: [],
      skippable: false,
      gracePeriods: {},
    })
  })

  test('an enrolment: what is asked for, and nothing to prove', () => {
    expect(stageOf(byPassword, at)).toBe('select-enroll')
    expect(offeredAt('select-enroll', byPassword, at)).toEqual({
      choices: [],
      enrollable: ['google_otp'],
      skippable: true,
      gracePeriods: {},
    })
  })

  test('anything else: nothing of it', () => {
    const nothing = { choices: [], enrollable: [], skippable: false, gracePeriods: {} }
    for (const stage of [
      'identify',
      'identify-recovery',
      'reset',
      'reenroll',
      'granted',
      'closed',
    ] as const) {
      expect(offeredAt(stage, byPassword, at)).toEqual(nothing)
    }
  })
})

describe('what a policy does not allow', () => {
  test('is no proof, although every name was offered it (A68)', () => {
    const policy = policyWith({
      signOn: { authenticators: ['okta_password', 'google_otp'], notAllowed: ['okta_email'] },
    })
    expect(stageOf(proves(named, 'okta_email'), situation(policy))).toBe('select')
    expect(stageOf(proves(proves(named, 'okta_email'), 'okta_password'), situation(policy))).toBe('granted')
    const two = policyWith(
      {},
      policyWith({ signOn: { ...policy.signOn, demand: { factors: 2, alternatives: [] } } }),
    )
    expect(decide(proves(proves(named, 'okta_email'), 'okta_password'), situation(two))).toMatchObject({
      denied: { rule: 'policy signOn.factors' },
    })
  })
})

describe('a proof that has become too old', () => {
  const hourly = policyWith({
    signOn: { demand: { factors: 1, alternatives: [], maxAge: 1000 } satisfies Demand },
  })
  test('is asked for again', () => {
    expect(stageOf(byPassword, situation(hourly, { now: 1000 }))).toBe('granted')
    expect(stageOf(byPassword, situation(hourly, { now: 1001 }))).toBe('select')
    expect(choicesOf(byPassword, situation(hourly, { now: 1001 }))).toContain('okta_password')
  })
})

const raise = (): never => {
  throw new Error('there is no such authenticator')
}
