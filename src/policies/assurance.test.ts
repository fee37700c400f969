import { describe, expect, test } from 'vitest'
import { type AccessRuleBody, assuranceOf, firstMethods } from './assurance.ts'
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
    ],
    [[password], [password, question], [passkey], [question, app]],
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
  ['present', constrained('1FA', { possession: { userPresence: 'REQUIRED' } }), [[key]], [[email]]],
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
