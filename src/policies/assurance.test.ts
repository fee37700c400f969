import { describe, expect, test } from 'vitest'
import { type AccessRuleBody, assuranceOf, firstMethods, isoDuration } from './assurance.ts'
import type { DeepPartial } from './deep-partial.ts'
import { type AuthenticatorFacts, evidenceOf, type Factor, isSatisfied, type Trait } from './demand.ts'

const fact = (
  key: string,
  type: string,
  methods: readonly [string, ...string[]],
  facts: {
    readonly factors: readonly Factor[]
    readonly traits?: readonly Trait[]
    readonly first?: boolean
  },
): AuthenticatorFacts => {
  const [method, ...others] = methods.map((one) => ({ type: one, amr: [one] }))
  return {
    key,
    type,
    displayName: key,
    traits: [],
    methods: method === undefined ? [{ type: '', amr: [] }] : [method, ...others],
    first: false,
    recovers: false,
    initialStatus: 'ACTIVE',
    implicit: false,
    ...facts,
  }
}

/** Of the kinds that Okta has, whether or not they are built in. */
const password = fact('okta_password', 'password', ['password'], { factors: ['knowledge'], first: true })
const question = fact('security_question', 'security_question', ['security_question'], {
  factors: ['knowledge'],
})
const email = fact('okta_email', 'email', ['email'], { factors: ['possession'], first: true })
const phone = fact('phone_number', 'phone', ['sms', 'voice'], { factors: ['possession'] })
const app = fact('google_otp', 'app', ['otp'], { factors: ['possession'] })
const key = fact('webauthn', 'security_key', ['webauthn'], {
  factors: ['possession'],
  traits: ['deviceBound', 'phishingResistant', 'userPresence'],
})
const passkey: AuthenticatorFacts = {
  ...key,
  factors: ['possession', 'inherence'],
  traits: [...key.traits, 'userVerification'],
}
const all = [password, question, email, phone, app, passkey]

type Method = NonNullable<
  NonNullable<DeepPartial<AccessRuleBody>['actions']>['appSignOn']
>['verificationMethod']
const rule = (verificationMethod: Method): DeepPartial<AccessRuleBody> => ({
  actions: { appSignOn: { access: 'ALLOW', ...(verificationMethod && { verificationMethod }) } },
})
const constrained = (factorMode: '1FA' | '2FA', ...constraints: readonly object[]) =>
  rule({ type: 'ASSURANCE', factorMode, constraints })

const isEnough = (body: DeepPartial<AccessRuleBody>, proven: readonly AuthenticatorFacts[]): boolean => {
  const { access, demand } = assuranceOf(body, all)
  return (
    access === 'ALLOW' &&
    isSatisfied(
      demand,
      proven.map((one) => evidenceOf(one)),
    )
  )
}

type Proven = readonly (readonly AuthenticatorFacts[])[]

const passwordTypes = { types: ['password'] }

test.each<readonly [name: string, DeepPartial<AccessRuleBody>, enough: Proven, tooLittle: Proven]>([
  ['nothing said', {}, [[password], [email], [app]], [[]]],
  ['1FA', rule({ type: 'ASSURANCE', factorMode: '1FA' }), [[password], [phone], [passkey]], [[]]],
  [
    '1FA by password',
    constrained('1FA', { knowledge: passwordTypes }),
    [[password]],
    [[email], [question], [passkey]],
  ],
  [
    'alternatives',
    constrained('1FA', { possession: {} }, { knowledge: {} }),
    [[email], [password], [question]],
    [[]],
  ],
  [
    '2FA',
    rule({ type: 'ASSURANCE', factorMode: '2FA' }),
    [[password, email], [question, app], [passkey]],
    [[password], [password, question], [email, phone], [key]],
  ],
  [
    '2FA with the password',
    constrained('2FA', { knowledge: passwordTypes }),
    [
      [password, email],
      [password, app],
      // The same class, which the rule leaves open: what clients of Okta expect of "password and another one".
      [password, question],
    ],
    [[password], [passkey], [question, app], [question]],
  ],
  [
    'both of one entry',
    constrained('1FA', { knowledge: {}, possession: {} }),
    [
      [password, email],
      [question, key],
    ],
    [[password], [email], [passkey]],
  ],
  [
    'bound to a device',
    constrained('1FA', { possession: { deviceBound: 'REQUIRED' } }),
    [[key], [passkey]],
    [[email], [phone]],
  ],
  [
    'resistant to phishing',
    constrained('1FA', { possession: { phishingResistant: 'REQUIRED' } }),
    [[key], [passkey]],
    [[app], [password], [email]],
  ],
  [
    'verifying its user',
    constrained('1FA', { possession: { userVerification: 'REQUIRED' } }),
    [[passkey]],
    [[key], [app]],
  ],
  [
    'present, which is the default',
    constrained('1FA', { possession: { userPresence: 'REQUIRED' } }),
    [[key], [email]],
    [[password]],
  ],
  [
    '2FA with the password, by its name',
    constrained('2FA', {
      knowledge: { authenticationMethods: [{ key: 'okta_password', method: 'password' }] },
    }),
    [
      [password, email],
      [password, question],
    ],
    [[password], [question, email]],
  ],
  [
    '2FA with the password and a possession',
    constrained('2FA', { knowledge: passwordTypes, possession: {} }),
    [[password, email]],
    [[password, question], [password]],
  ],
  [
    'by one method of a name',
    constrained('1FA', { possession: { authenticationMethods: [{ key: 'phone_number', method: 'voice' }] } }),
    [],
    [[phone], [app]],
  ],
  [
    'all but one method of a name',
    constrained('1FA', {
      possession: {
        excludedAuthenticationMethods: [{ key: 'phone_number', method: 'SMS' }, { key: 'okta_email' }],
      },
    }),
    [[app]],
    [[phone], [email]],
  ],
  [
    'lists with what is there twice, and with null',
    constrained('1FA', {
      possession: { types: ['APP', 'app'], methods: null as never, reauthenticateIn: null as never },
    }),
    [[app]],
    [[phone]],
  ],
  [
    'optional traits',
    constrained('1FA', { possession: { deviceBound: 'OPTIONAL', phishingResistant: 'EXCLUDED' } }),
    [[email]],
    [[password]],
  ],
  [
    '2FA, one resistant to phishing',
    constrained('2FA', { possession: { phishingResistant: 'REQUIRED' } }),
    [[password, key], [passkey]],
    [[password, app], [key], [key, app]],
  ],
  ['by method', constrained('1FA', { possession: { methods: ['SMS'] } }), [[phone]], [[email], [app]]],
  [
    'by name',
    constrained('1FA', { possession: { authenticationMethods: [{ key: 'google_otp', method: 'otp' }] } }),
    [[app]],
    [[email], [phone]],
  ],
  [
    'all but by name',
    constrained('1FA', { possession: { excludedAuthenticationMethods: [{ key: 'okta_email' }] } }),
    [[app], [phone]],
    [[email], [password]],
  ],
  [
    'a factor that is not required',
    constrained('1FA', { knowledge: { required: false }, possession: {} }),
    [[email]],
    [[password]],
  ],
  [
    'an entry that asks for nothing',
    constrained('1FA', {}, { knowledge: passwordTypes }),
    [[email], [password]],
    [[]],
  ],
  [
    'an entry that asks for null',
    constrained('1FA', { knowledge: null, possession: {} }),
    [[email]],
    [[password]],
  ],
])('%s', (_, body, enough, tooLittle) => {
  const keys = (proven: readonly AuthenticatorFacts[]) => proven.map((one) => one.key)
  expect(enough.filter((proven) => !isEnough(body, proven)).map(keys)).toEqual([])
  expect(tooLittle.filter((proven) => isEnough(body, proven)).map(keys)).toEqual([])
})

describe('a rule is never read as less than it says', () => {
  const access = (body: DeepPartial<AccessRuleBody>, usable: readonly AuthenticatorFacts[]) =>
    assuranceOf(body, usable).access
  const phishingResistant = constrained('1FA', { possession: { phishingResistant: 'REQUIRED' } })

  test('what no authenticator in use can prove lets no user in', () => {
    expect(access(phishingResistant, [password, email, app])).toBe('DENY')
    expect(access(phishingResistant, all)).toBe('ALLOW')
    expect(access(constrained('1FA', { knowledge: { types: ['unheard of'] } }), all)).toBe('DENY')
  })

  test('another way of verifying than assurance lets no user in', () => {
    expect(access(rule({ type: 'AUTH_METHOD_CHAIN' }), all)).toBe('DENY')
  })

  test('one entry that can be proven is enough', () => {
    const either = constrained('1FA', { possession: { phishingResistant: 'REQUIRED' } }, { knowledge: {} })
    expect(access(either, [password, email])).toBe('ALLOW')
  })

  test('a rule that denies denies', () => {
    expect(access({ actions: { appSignOn: { access: 'DENY' } } }, all)).toBe('DENY')
  })
})

describe('before a proof there is asked for', () => {
  const first = (...bodies: readonly DeepPartial<AccessRuleBody>[]) =>
    firstMethods(
      bodies.map((body) => assuranceOf(body, all)),
      all,
    )
  const onlyPassword = constrained('1FA', { knowledge: passwordTypes })
  const onlyEmail = constrained('1FA', { possession: { types: ['email'] } })
  const onlyApp = constrained('1FA', { possession: { types: ['app'] } })
  const deny: DeepPartial<AccessRuleBody> = { actions: { appSignOn: { access: 'DENY' } } }

  test('what some rule of the app can begin with, in the order of the catalogue', () => {
    expect(first(onlyPassword)).toEqual(['okta_password'])
    expect(first(onlyEmail, onlyPassword)).toEqual(['okta_password', 'okta_email'])
    expect(first(onlyEmail, deny)).toEqual(['okta_email'])
    expect(first(constrained('2FA', { knowledge: passwordTypes }))).toEqual(['okta_password'])
  })

  test('never what would tell who has an account (A53), yet always something', () => {
    expect(first(rule({ type: 'ASSURANCE', factorMode: '1FA' }))).toEqual(['okta_password', 'okta_email'])
    expect(first(onlyApp)).toEqual(['okta_password', 'okta_email'])
    expect(first(deny)).toEqual(['okta_password', 'okta_email'])
  })
})

describe('a chain of methods', () => {
  const step = (keys: readonly string[], next?: object) => ({
    authenticationMethods: keys.map((key) => ({ key })),
    ...(next !== undefined && { next: [next] }),
  })
  const chain = (...chains: readonly object[]) => rule({ type: 'AUTH_METHOD_CHAIN', chains: chains as never })

  test.each<readonly [string, DeepPartial<AccessRuleBody>, enough: Proven, tooLittle: Proven]>([
    [
      'all its steps, in whatever order',
      chain(step(['okta_password'], step(['phone_number', 'google_otp']))),
      [
        [password, phone],
        [app, password],
      ],
      [[password], [phone], [phone, app], [password, email]],
    ],
    [
      'one of several',
      chain(step(['okta_password']), step(['okta_email'], step(['security_question']))),
      [[password], [email, question]],
      [[email], [question]],
    ],
    [
      'a method with what it must have besides',
      chain({
        authenticationMethods: [{ key: 'webauthn', method: 'webauthn', userVerification: 'REQUIRED' }],
      }),
      [[passkey]],
      [[key], [password]],
    ],
    // One proof would meet two steps: it is never taken for less than it says.
    [
      'two steps by one authenticator',
      chain(step(['okta_email'], step(['okta_email']))),
      [],
      [[email], [password]],
    ],
    ['none', chain(), [], [[password], [email]]],
    ['a step that asks for nothing', chain({}), [], [[password]]],
  ])('%s', (_, body, enough, tooLittle) => {
    const keys = (proven: readonly AuthenticatorFacts[]) => proven.map((one) => one.key)
    expect(enough.filter((proven) => !isEnough(body, proven)).map(keys)).toEqual([])
    expect(tooLittle.filter((proven) => isEnough(body, proven)).map(keys)).toEqual([])
  })
})

describe('how old a proof may be', () => {
  const minute = 60_000
  const aged = (
    body: DeepPartial<AccessRuleBody>,
    ...proven: readonly (readonly [AuthenticatorFacts, number])[]
  ) =>
    isSatisfied(
      assuranceOf(body, all).demand,
      proven.map(([one, minutes]) => ({ ...evidenceOf(one), at: 1000 * minute - minutes * minute })),
      1000 * minute,
    )
  const twoHours = rule({ type: 'ASSURANCE', factorMode: '2FA', reauthenticateIn: 'PT2H' })

  test('is a duration of the rule', () => {
    expect(aged(twoHours, [password, 120], [email, 1])).toBe(true)
    expect(aged(twoHours, [password, 121], [email, 1])).toBe(false)
    expect(aged(twoHours, [password, 121], [email, 1], [password, 0])).toBe(true)
  })

  test('is a duration of each of its parts', () => {
    const parts = constrained('1FA', {
      knowledge: { reauthenticateIn: 'PT1H' },
      possession: { reauthenticateIn: 'PT5M' },
    })
    expect(aged(parts, [password, 60], [email, 5])).toBe(true)
    expect(aged(parts, [password, 61], [email, 5])).toBe(false)
    expect(aged(parts, [password, 60], [email, 6])).toBe(false)
  })

  test('PT0S asks for proofs of this transaction', () => {
    const anew = rule({ type: 'ASSURANCE', factorMode: '1FA', reauthenticateIn: 'PT0S' })
    expect(aged(anew, [password, 40])).toBe(true)
    const before = { ...evidenceOf(email), at: 0, remembered: true as const }
    const remembering = { ...assuranceOf(anew, all).demand, remembered: { factors: 9e9, alternatives: 9e9 } }
    expect(isSatisfied(remembering, [before], 1)).toBe(false)
  })

  test('a text that is no duration is read as the strictest', () => {
    expect(
      assuranceOf(rule({ type: 'ASSURANCE', factorMode: '1FA', reauthenticateIn: '2 hours' }), all).demand
        .maxAge,
    ).toBe(0)
  })

  test.each([
    ['PT0S', 0],
    ['PT2H', 120 * minute],
    ['P1D', 1440 * minute],
    ['PT43800H', 43_800 * 60 * minute],
    ['P1W', 7 * 1440 * minute],
    ['PT1H30M5.5S', 90 * minute + 5500],
    ['P', undefined],
    ['PT', undefined],
    ['2h', undefined],
    ['', undefined],
    ['PT-1H', undefined],
  ])('%s', (text, ms) => {
    expect(isoDuration(text)).toBe(ms)
  })
})

describe('a remembered device', () => {
  const minute = 60_000
  const kept = (postAuth: string, frequency?: string): DeepPartial<AccessRuleBody> => ({
    actions: {
      appSignOn: {
        access: 'ALLOW',
        verificationMethod: { type: 'ASSURANCE', factorMode: '2FA', constraints: [{ possession: {} }] },
        keepMeSignedIn: { postAuth, ...(frequency !== undefined && { postAuthPromptFrequency: frequency }) },
      },
    },
  })
  const isEnoughAfter = (body: DeepPartial<AccessRuleBody>, minutes: number) =>
    isSatisfied(
      assuranceOf(body, all).demand,
      [
        { ...evidenceOf(password), at: minutes * minute },
        { ...evidenceOf(app), at: 0, remembered: true as const },
      ],
      minutes * minute,
    )

  test('counts as the second factor where the rule says so, for as long as it says (A78)', () => {
    expect(isEnoughAfter(kept('ALLOWED', 'PT1H'), 60)).toBe(true)
    expect(isEnoughAfter(kept('ALLOWED', 'PT1H'), 61)).toBe(false)
    expect(isEnoughAfter(kept('ALLOWED', 'none'), 1)).toBe(false)
    expect(isEnoughAfter(kept('NOT_ALLOWED', 'PT1H'), 1)).toBe(false)
    expect(isEnoughAfter(constrained('2FA', { possession: {} }), 1)).toBe(false)
  })
})
