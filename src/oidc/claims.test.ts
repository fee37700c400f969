import { expect, test } from 'vitest'
import type { Person, Profile } from '../directory/index.ts'
import { reachedLevel } from '../policies/index.ts'
import { claimsOf } from './claims.ts'

const person = (profile: Partial<Profile>): Person => ({
  id: '00u1',
  status: 'ACTIVE',
  profile: { login: 'ada', email: 'ada@example.com', ...profile },
  createdAt: 0,
  updatedAt: 1_700_000_000_999,
  statusChangedAt: 0,
  passwordChangedAt: null,
  lastLoginAt: null,
  version: 1,
})
const none = { groupNames: async () => [], customAttributes: async () => [] }

test('each scope releases its own claims', async () => {
  const ada = person({
    firstName: 'Ada',
    lastName: 'Lovelace',
    locale: 'en-GB',
    timezone: 'Europe/London',
    mobilePhone: '+44 20 7946 0000',
    city: 'London',
    countryCode: 'GB',
    costCenter: 'secret',
  })
  const of = (...scopes: string[]) =>
    claimsOf(ada, scopes, { groupNames: async () => ['Everyone', 'Staff'], customAttributes: async () => [] })

  expect(await of('openid', 'offline_access')).toEqual({})
  expect(await of('profile')).toEqual({
    name: 'Ada Lovelace',
    preferred_username: 'ada',
    given_name: 'Ada',
    family_name: 'Lovelace',
    locale: 'en-GB',
    zoneinfo: 'Europe/London',
    updated_at: 1_700_000_000,
  })
  expect(await of('email')).toEqual({ email: 'ada@example.com', email_verified: false })
  expect(await of('phone')).toEqual({ phone_number: '+44 20 7946 0000' })
  expect(await of('address')).toEqual({ address: { locality: 'London', country: 'GB' } })
  expect(await of('groups')).toEqual({ groups: ['Everyone', 'Staff'] })
})

test('custom attributes come with the scope profile, those with the name of a defined claim excepted', async () => {
  const ada = person({ team: 'Engines', groups: 'Admins', sub: 'another user', given_name: 'Eve' })
  const sources = {
    groupNames: async () => [],
    customAttributes: async () => ['team', 'groups', 'sub', 'given_name', 'absent'],
  }
  expect(await claimsOf(ada, ['profile'], sources)).toEqual({
    team: 'Engines',
    preferred_username: 'ada',
    updated_at: 1_700_000_000,
  })
  expect(await claimsOf(ada, ['email'], sources)).not.toHaveProperty('team')
})

test('absent values are left out, and groups are read only where they are released', async () => {
  const groupNames = async () => {
    throw new Error('groups were read')
  }

  expect(
    await claimsOf(person({ firstName: '' }), ['profile', 'phone', 'address'], {
      groupNames,
      customAttributes: async () => [],
    }),
  ).toEqual({
    preferred_username: 'ada',
    updated_at: 1_700_000_000,
  })
  expect(
    await claimsOf(person({ displayName: 'The Countess', firstName: 'Ada' }), ['profile'], none),
  ).toMatchObject({
    name: 'The Countess',
    given_name: 'Ada',
  })
})

test('a level of assurance is reported where it was requested and reached', () => {
  expect(reachedLevel(undefined, { amr: ['pwd'] })).toBeUndefined()
  expect(reachedLevel('urn:okta:loa:1fa:pwd', { amr: ['otp'] })).toBeUndefined()
  expect(reachedLevel('unknown urn:okta:loa:1fa:pwd', { amr: ['pwd'] })).toBe('urn:okta:loa:1fa:pwd')
  expect(reachedLevel('__defineGetter__ constructor', { amr: ['pwd'] })).toBeUndefined()
})

test.each([
  ['has proven', 'ada@example.com', true],
  ['has proven in another spelling', 'Ada@Example.com', true],
  ['has proven before it was changed', 'former@example.com', false],
])('email_verified of an address that the user %s', async (_, key, verified) => {
  const ada = { ...person({}), verifiedEmail: { key: key.toLowerCase(), at: 1 } }
  expect(await claimsOf(ada, ['email'], none)).toMatchObject({ email_verified: verified })
})
