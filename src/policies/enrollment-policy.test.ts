import { describe, expect, test } from 'vitest'
import type { AuthenticatorFacts } from './demand.ts'
import { enrollmentPolicyFrom, notAllowedBy } from './enrollment-policy.ts'

const fact = (key: string, type: string, implicit = false): AuthenticatorFacts => ({
  key,
  type,
  displayName: key,
  factors: [],
  traits: [],
  methods: [{ type, amr: [] }],
  first: false,
  recovers: false,
  initialStatus: 'ACTIVE',
  implicit,
})
const all = [
  fact('okta_password', 'password'),
  fact('okta_email', 'email', true),
  fact('phone_number', 'phone'),
  fact('google_otp', 'app'),
  fact('security_question', 'security_question'),
]
type Entry = { key: string; enroll?: object; gracePeriod?: object }
const named = (...authenticators: readonly Entry[]) =>
  ({ settings: { type: 'AUTHENTICATORS', authenticators } }) as never
const classic = (factors: object) => ({ settings: { type: 'FACTORS', factors } }) as never
const atSignIn = { actions: { enroll: { self: 'LOGIN' } } } as const
const read = (body: never, rule: Parameters<typeof enrollmentPolicyFrom>[1] = atSignIn) =>
  enrollmentPolicyFrom(body, rule, all)
const required = { enroll: { self: 'REQUIRED' } }
const optional = { enroll: { self: 'OPTIONAL' } }

describe('what an enrolment policy asks for', () => {
  test('is what is required or optional, in its order; a mailbox every user has', () => {
    const body = named(
      { key: 'google_otp', ...optional },
      { key: 'okta_email', ...required },
      { key: 'phone_number', ...required },
      { key: 'security_question', enroll: { self: 'NOT_ALLOWED' } },
      { key: 'webauthn', ...required },
    )
    expect(read(body)).toEqual([
      { key: 'google_otp', required: false },
      { key: 'phone_number', required: true },
    ])
  })

  test('of a list in which a client has merged its own, is what it says last', () => {
    const body = named(
      { key: 'google_otp', enroll: { self: 'NOT_ALLOWED' } },
      { key: 'phone_number', ...required },
      { key: 'google_otp', ...required },
    )
    expect(read(body)).toEqual([
      { key: 'google_otp', required: true },
      { key: 'phone_number', required: true },
    ])
    expect(notAllowedBy(body, all)).not.toContain('google_otp')
  })

  test.each<readonly [string, object, object | undefined]>([
    [
      'until a date',
      { type: 'BY_DATE_TIME', expiry: '2026-01-01T00:00:00.000Z' },
      { type: 'BY_DATE_TIME', expiry: Date.UTC(2026, 0, 1) },
    ],
    ['a number of times', { type: 'BY_SKIP_COUNT', skipCount: 3 }, { type: 'BY_SKIP_COUNT', skipCount: 3 }],
    ['never', { type: 'BY_SKIP_COUNT', skipCount: 0 }, undefined],
    ['a number that is none', { type: 'BY_SKIP_COUNT', skipCount: 1.5 }, undefined],
    ['a date that is none', { type: 'BY_DATE_TIME', expiry: 'soon' }, undefined],
    ['of another kind', { type: 'BY_MOOD' }, undefined],
  ])('may be put off %s', (_, gracePeriod, expected) => {
    const found = { key: 'google_otp', required: true, ...(expected && { gracePeriod: expected }) }
    expect(read(named({ key: 'google_otp', enroll: { self: 'REQUIRED', gracePeriod } }))).toEqual([found])
    expect(read(named({ key: 'google_otp', ...required, gracePeriod }))).toEqual([found])
  })

  test('in the classic form is the same', () => {
    const body = classic({
      okta_sms: { enroll: { self: 'OPTIONAL' } },
      okta_call: { enroll: { self: 'REQUIRED' } },
      okta_question: { enroll: { self: 'NOT_ALLOWED' } },
      google_otp: { enroll: { self: 'REQUIRED' } },
      rsa_token: { enroll: { self: 'REQUIRED' } },
      fido_u2f: null,
    })
    expect(read(body)).toEqual([
      { key: 'phone_number', required: true },
      { key: 'google_otp', required: true },
    ])
    expect(notAllowedBy(body, all)).toEqual(['okta_email', 'security_question'])
  })

  test('is asked for at a challenge, or never, where the rule says so', () => {
    const body = named({ key: 'google_otp', ...required })
    expect(read(body, { actions: { enroll: { self: 'CHALLENGE' } } })).toEqual([
      { key: 'google_otp', required: true, atChallenge: true },
    ])
    expect(read(body, { actions: { enroll: { self: 'NEVER' } } })).toEqual([])
    expect(read(body, { actions: { enroll: { self: 'NEVER_INCLUDING_RECOVERY' } } })).toEqual([])
    expect(read(body, {})).toEqual([{ key: 'google_otp', required: true }])
  })
})

describe('what an enrolment policy does not allow', () => {
  test('is what it says so of, and what it does not name; a password that it does not name stays', () => {
    expect(notAllowedBy(named({ key: 'google_otp', ...optional }), all)).toEqual([
      'okta_email',
      'phone_number',
      'security_question',
    ])
    expect(
      notAllowedBy(
        named({ key: 'okta_password', enroll: { self: 'NOT_ALLOWED' } }, { key: 'okta_email' }),
        all,
      ),
    ).toEqual(['okta_password', 'okta_email', 'phone_number', 'google_otp', 'security_question'])
  })

  test('is nothing where it names none', () => {
    expect(notAllowedBy(named(), all)).toEqual([])
    expect(notAllowedBy({} as never, all)).toEqual([])
  })
})
