import { describe, expect, test } from 'vitest'
import { baseAttributes, type SchemaAttribute, type UserSchema } from '../directory/index.ts'
import type { RegistrationAttribute, RegistrationPolicy } from '../policies/index.ts'
import { missingFields, profileFields, readProfile } from './profile-form.ts'

const schemaWith = (custom: Record<string, SchemaAttribute> = {}): UserSchema => ({
  base: baseAttributes,
  custom,
  updatedAt: 0,
})
const asked = (
  name: string,
  required = false,
  more: Partial<RegistrationAttribute> = {},
): RegistrationAttribute => ({ name, label: `The ${name}`, required, ...more })
const email = asked('email', true)
const fieldsOf = (
  attributes: readonly RegistrationAttribute[],
  custom: Record<string, SchemaAttribute> = {},
  more: Partial<RegistrationPolicy> = {},
) => profileFields({ attributes, ...more }, schemaWith(custom))
const shown = (fields: ReturnType<typeof fieldsOf>) =>
  fields.map(({ attribute: _, domains: __, terms: ___, ...field }) => field)
const keysOf = (result: ReturnType<typeof readProfile>) =>
  'refusals' in result ? result.refusals.map(({ name, key }) => [name, key]) : result

describe('the fields', () => {
  test('stand in the order of the policy, with its labels and the bounds of the schema', () => {
    expect(shown(fieldsOf([asked('lastName', true), email, asked('nickName')]))).toEqual([
      { name: 'lastName', label: 'The lastName', required: true, minLength: 1, maxLength: 50 },
      { name: 'email', label: 'The email', required: true },
      { name: 'nickName', label: 'The nickName', required: false, maxLength: 100 },
    ])
  })

  test('have the email in any case, and what the schema requires', () => {
    const fields = fieldsOf([asked('firstName')], { team: { type: 'string', title: 'Team', required: true } })
    expect(fields.map(({ name, required }) => [name, required])).toEqual([
      ['email', true],
      ['firstName', false],
      ['team', true],
    ])
  })

  test('are those of the schema that are not hidden from users', () => {
    const readOnly = { type: 'string', permissions: [{ principal: 'SELF', action: 'READ_ONLY' }] } as const
    const custom = {
      role: readOnly,
      secret: { ...readOnly, permissions: [{ principal: 'SELF', action: 'HIDE' }] },
      tags: { type: 'array' },
      status: { type: 'string' },
      open: { type: 'string', permissions: [{ principal: 'SELF', action: 'READ_WRITE' }] },
    } as const
    const names = ['unknown', '__proto__', 'constructor', 'id', 'groups', ...Object.keys(custom)]
    const fields = fieldsOf([email, ...names.map((name) => asked(name))], custom)
    expect(fields.map(({ name }) => name)).toEqual(['email', 'role', 'open'])
  })

  test('have lists, boxes and countries in the shape that clients read', () => {
    const custom: Record<string, SchemaAttribute> = {
      color: {
        type: 'string',
        enum: ['red', 'blue'],
        oneOf: [{ const: 'red', title: 'Red' }],
      },
      pizza: { type: 'string', enum: ['lucali'] },
      pet: { type: 'boolean' },
      adult: { type: 'boolean' },
      age: { type: 'integer' },
      size: { type: 'number' },
    }
    const fields = fieldsOf(
      [
        email,
        asked('color'),
        asked('pizza', false, { inputType: 'radio' }),
        asked('pet'),
        asked('adult', true),
        asked('age'),
        asked('size'),
        asked('countryCode', true),
        asked('timezone'),
      ],
      custom,
    )
    expect(shown(fields).slice(1)).toEqual([
      {
        name: 'color',
        label: 'The color',
        type: 'string',
        required: false,
        display: {
          inputType: 'select',
          options: [
            { label: 'Red', value: 'red' },
            { label: 'blue', value: 'blue' },
          ],
        },
      },
      {
        name: 'pizza',
        label: 'The pizza',
        type: 'string',
        required: false,
        display: { inputType: 'radio', options: [{ label: 'lucali', value: 'lucali' }] },
      },
      {
        name: 'pet',
        label: 'The pet',
        type: 'boolean',
        required: false,
        display: { inputType: 'checkbox' },
      },
      {
        name: 'adult',
        label: 'The adult',
        type: 'boolean',
        required: true,
        display: {
          inputType: 'radio',
          options: [
            { label: 'Yes', value: 'true' },
            { label: 'No', value: 'false' },
          ],
        },
      },
      { name: 'age', label: 'The age', type: 'string', required: false },
      { name: 'size', label: 'The size', type: 'string', required: false },
      {
        name: 'countryCode',
        label: 'The countryCode',
        type: 'string',
        required: true,
        display: { inputType: 'select', format: 'country-code' },
      },
      { name: 'timezone', label: 'The timezone', required: false, maxLength: 100 },
    ])
  })
})

describe('what is read', () => {
  const custom: Record<string, SchemaAttribute> = {
    pet: { type: 'boolean' },
    age: { type: 'integer' },
    size: { type: 'number' },
    color: { type: 'string', enum: ['red'] },
    level: { type: 'integer', enum: [1, 2] },
    team: { type: 'string', minLength: 3, maxLength: 5, pattern: '^[a-z]+$' },
  }
  const all = [email, asked('firstName'), asked('postalAddress'), asked('countryCode')].concat(
    Object.keys(custom).map((name) => asked(name)),
  )
  const fields = fieldsOf(all, custom)
  const read = (more: object) => readProfile(fields, { email: 'mary@example.com', ...more })
  const known = { login: 'mary@example.com', email: 'mary@example.com' }

  test.each([
    [{}, {}],
    [{ firstName: '  Mary ' }, { firstName: 'Mary' }],
    [{ firstName: '', pet: null, age: '', color: ' ' }, {}],
    [{ pet: true }, { pet: true }],
    [{ pet: 'true' }, { pet: true }],
    [{ pet: false }, { pet: false }],
    [{ pet: 'false' }, { pet: false }],
    [{ age: '42' }, { age: 42 }],
    [{ age: 0 }, { age: 0 }],
    [{ size: '-1.5' }, { size: -1.5 }],
    [{ level: '2' }, { level: 2 }],
    [{ color: 'red' }, { color: 'red' }],
    [{ countryCode: 'AT' }, { countryCode: 'AT' }],
    [{ firstName: 'O’Brien <3 & Söhne' }, { firstName: 'O’Brien <3 & Söhne' }],
    [{ postalAddress: 'Main St 1\n1010 Wien' }, { postalAddress: 'Main St 1\n1010 Wien' }],
    // None of these is a field of the form.
    [
      {
        groups: ['g'],
        groupIds: ['g'],
        status: 'ACTIVE',
        id: '00u',
        login: 'admin',
        lastName: 'Major',
        role: 'admin',
        toString: 'x',
      },
      {},
    ],
  ])('%j', (sent, profile) => {
    expect(read(sent)).toEqual({ profile: { ...known, ...profile } })
  })

  test.each([
    [{ email: 'mary' }, 'email', 'registration.error.invalidLoginEmail'],
    // The same mailbox as without the dot, and another name.
    [{ email: 'mary@example.com.' }, 'email', 'registration.error.invalidLoginEmail'],
    [{ email: '' }, 'email', 'model.validation.field.blank'],
    [{ email: ['mary@example.com'] }, 'email', 'registration.error.notAllowedValue'],
    [{ email: `${'m'.repeat(100)}@example.com` }, 'email', 'registration.error.tooLong'],
    [{ firstName: '<b>Mary</b>' }, 'firstName', 'tagsNotAllowed'],
    [{ firstName: '<!-- ' }, 'firstName', 'tagsNotAllowed'],
    [{ firstName: 'Ma\u202ery' }, 'firstName', 'registration.error.invalidCharacters'],
    [{ firstName: 'Ma\nry' }, 'firstName', 'registration.error.invalidCharacters'],
    [{ firstName: 'Win at https://evil.example' }, 'firstName', 'registration.error.invalidCharacters'],
    [{ firstName: 'M'.repeat(51) }, 'firstName', 'registration.error.tooLong'],
    [{ firstName: { $gt: '' } }, 'firstName', 'registration.error.notAllowedValue'],
    [{ pet: 'yes' }, 'pet', 'registration.error.notAllowedValue'],
    [{ age: '4.5' }, 'age', 'registration.error.invalidInteger'],
    [{ age: '1e3' }, 'age', 'registration.error.invalidNumber'],
    [{ age: '99999999999999999999' }, 'age', 'registration.error.invalidInteger'],
    [{ size: 'NaN' }, 'size', 'registration.error.invalidNumber'],
    [{ level: '3' }, 'level', 'registration.error.notAllowedValue'],
    [{ color: 'green' }, 'color', 'registration.error.notAllowedValue'],
    [{ countryCode: '12' }, 'countryCode', 'registration.error.notAllowedValue'],
    [{ team: 'ab' }, 'team', 'registration.error.tooShort'],
    [{ team: 'abcdef' }, 'team', 'registration.error.tooLong'],
    [{ team: 'ABC' }, 'team', 'registration.error.doesNotMatchPattern'],
  ])('%j is refused', (sent, name, key) => {
    const [first] = [keysOf(read(sent))].flat()
    expect(first).toEqual([name, key])
  })

  test('refuses all that is wrong at once, an address with both of its messages', () => {
    expect(keysOf(read({ email: 'mary', firstName: '<b>', team: 'ab' }))).toEqual([
      ['email', 'registration.error.invalidLoginEmail'],
      ['email', 'registration.error.doesNotMatchPattern'],
      ['firstName', 'tagsNotAllowed'],
      ['team', 'registration.error.tooShort'],
    ])
  })

  test.each([undefined, null, 'x', [], 7])('a profile that is %j has nothing in it', (sent) => {
    expect(keysOf(readProfile(fields, sent))).toEqual([['email', 'model.validation.field.blank']])
  })

  test('a login of its own stands beside the email', () => {
    const own = fieldsOf([email, asked('login', true)])
    expect(readProfile(own, { email: 'mary@example.com', login: 'mary' })).toEqual({
      profile: { email: 'mary@example.com', login: 'mary' },
    })
  })

  test('a required box that is not ticked is an answer', () => {
    const box = { ...asked('pet', true), inputType: 'checkbox' as const }
    const boxed = fieldsOf([email, box], { pet: { type: 'boolean' } })
    for (const [pet, value] of [
      [undefined, false],
      ['', false],
      [true, true],
    ] as const) {
      const read = readProfile(boxed, { email: 'mary@example.com', pet })
      expect(read).toMatchObject({ profile: { pet: value } })
    }
  })

  test('terms must be agreed to, and are no attribute', () => {
    const terms = { version: '2026-01', url: 'https://example.com/terms' }
    const withTerms = fieldsOf([email], {}, { terms })
    expect(shown(withTerms).at(-1)).toEqual({
      name: 'termsAccepted',
      label: 'I agree to the terms (https://example.com/terms)',
      type: 'boolean',
      required: true,
      display: { inputType: 'checkbox' },
    })
    const agreeing = (termsAccepted: unknown) =>
      keysOf(readProfile(withTerms, { email: 'mary@example.com', termsAccepted }))
    expect(agreeing('true')).toEqual({ profile: known, terms })
    for (const no of [false, 'false', undefined]) {
      expect(agreeing(no)).toEqual([['termsAccepted', 'registration.error.termsNotAccepted']])
    }
    expect(agreeing('2026-01')).toEqual([['termsAccepted', 'registration.error.notAllowedValue']])
  })
})

describe('domains', () => {
  const allowedIn = (allowed: string[], blocked: string[], address: string) =>
    !('refusals' in readProfile(fieldsOf([email], {}, { domains: { allowed, blocked } }), { email: address }))

  test.each([
    ['mary@example.com', true],
    ['mary@EXAMPLE.com', true],
    ['mary@example.com.', false],
    ['mary@sub.example.com', false],
    ['mary@evil-example.com', false],
    ['mary@example.com.evil.example', false],
    ['mary@a.example.org', true],
    ['mary@a.b.example.org', true],
    ['mary@example.org', false],
    ['mary@münchen.example', true],
    ['mary@xn--mnchen-3ya.example', true],
    ['mary@ｅxample.com', false],
    ['mary@bad.example.org', false],
    ['mary@very.bad.example.org', false],
  ])('of allowed ones: %s %s', (address, is) => {
    const allowed = ['Example.com', '*.example.org', 'München.example']
    expect(allowedIn(allowed, ['bad.example.org'], address)).toBe(is)
  })

  test.each([
    ['mary@example.com', true],
    ['mary@spam.example', false],
    ['mary@SPAM.example', false],
    ['mary@spam.example.', false],
    ['mary@spam。example', false],
    ['mary@a.spam.example', false],
    ['mary@notspam.example', true],
    ['mary@xn--mnchen-3ya.example', false],
  ])('of blocked ones: %s %s', (address, is) => {
    expect(allowedIn([], ['spam.example', 'münchen.example'], address)).toBe(is)
  })
})

test('a sign-in asks for what is required and empty, never for what the user is known by', () => {
  const policy = { attributes: [email, asked('login', true), asked('firstName', true), asked('city')] }
  const schema = schemaWith({ team: { type: 'string', required: true }, pet: { type: 'boolean' } })
  const missing = (profile: object) => missingFields(policy, schema, { ...profile }).map(({ name }) => name)
  expect(missing({})).toEqual(['firstName', 'team'])
  expect(missing({ firstName: ' ', team: 'a' })).toEqual(['firstName'])
  expect(missing({ firstName: 'Mary', team: 'a' })).toEqual([])
})
