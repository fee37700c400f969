import { linearPattern } from '../../base/index.ts'
import { addressProblem, loginProblem } from '../identifier.ts'

export const attributeTypes = ['string', 'boolean', 'number', 'integer', 'array'] as const

/** What is known of one attribute of a profile: what is obeyed, and whatever else it was given. */
export interface SchemaAttribute {
  readonly type: (typeof attributeTypes)[number]
  readonly title?: string
  readonly required?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly items?: { readonly type?: string }
  readonly permissions?: readonly { readonly principal?: string; readonly action?: string }[]
  readonly [member: string]: unknown
}

type Attributes = Readonly<Record<string, SchemaAttribute>>

/** Which attributes a profile may have. */
export interface UserSchema {
  readonly base: Attributes
  readonly custom: Attributes
  /** Epoch milliseconds; 0: as it was from the beginning. */
  readonly updatedAt: number
}

const text = (title: string, maxLength = 100, more: Partial<SchemaAttribute> = {}): SchemaAttribute => ({
  title,
  type: 'string',
  maxLength,
  ...more,
})

/** The attributes that every profile may have, as Okta's. */
export const baseAttributes: Attributes = {
  login: text('Username', 100, { required: true }),
  email: text('Primary email', 254, { required: true, format: 'email' }),
  secondEmail: text('Secondary email', 254, { format: 'email' }),
  firstName: text('First name', 50),
  lastName: text('Last name', 50),
  middleName: text('Middle name'),
  honorificPrefix: text('Honorific prefix'),
  honorificSuffix: text('Honorific suffix'),
  title: text('Title'),
  displayName: text('Display name'),
  nickName: text('Nickname'),
  profileUrl: text('Profile Url', 1024),
  primaryPhone: text('Primary phone'),
  mobilePhone: text('Mobile phone'),
  streetAddress: text('Street address', 1024),
  city: text('City', 128),
  state: text('State', 128),
  zipCode: text('Zip code', 50),
  countryCode: text('Country code', 2),
  postalAddress: text('Postal Address', 4096),
  preferredLanguage: text('Preferred language'),
  locale: text('Locale', 35),
  timezone: text('Time zone'),
  userType: text('User type'),
  employeeNumber: text('Employee number'),
  costCenter: text('Cost center'),
  organization: text('Organization'),
  division: text('Division'),
  department: text('Department'),
  managerId: text('ManagerId'),
  manager: text('Manager'),
}

/** No text of a profile is longer, whatever its attribute says. */
const longestText = 10_000
const mostItems = 200

type Problem = (value: unknown, attribute: SchemaAttribute) => string | undefined

const ofType: Readonly<Record<SchemaAttribute['type'], Problem>> = {
  string: (value, { minLength = 0, maxLength = longestText, pattern }) => {
    const most = Math.min(maxLength, longestText)
    if (typeof value !== 'string') return `must be a text of at most ${most} characters`
    const { length } = [...value]
    if (length > most) return `must be a text of at most ${most} characters`
    if (length < minLength) return `must be at least ${minLength} characters long`
    // A pattern of an older version that cannot be matched in linear time is ignored: users must stay editable (A61).
    const matched = pattern === undefined ? true : (linearPattern(pattern)?.matches(value) ?? true)
    if (matched === 'too-long') return 'is too long to be matched against the pattern'
    return matched ? undefined : 'does not match the pattern'
  },
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  number: (value) => (Number.isFinite(value) ? undefined : 'must be a number'),
  integer: (value) => (Number.isSafeInteger(value) ? undefined : 'must be a whole number'),
  array: (value, { items }) => {
    if (!Array.isArray(value) || value.length > mostItems) return `must be a list of at most ${mostItems}`
    const type = items?.type === 'number' || items?.type === 'integer' ? items.type : 'string'
    const [problem] = value.flatMap((item: unknown) => ofType[type](item, { type }) ?? [])
    return problem === undefined ? undefined : `each ${problem}`
  },
}

function problemOf(name: string, value: unknown, attribute: SchemaAttribute): string | undefined {
  const problem = ofType[attribute.type](value, attribute)
  if (problem !== undefined) return problem
  const ofName = name === 'login' ? loginProblem(value) : undefined
  const ofAddress = attribute.format === 'email' && value !== '' ? addressProblem(value) : undefined
  if (ofName !== undefined || ofAddress !== undefined) return ofName ?? ofAddress
  if (attribute.enum === undefined || attribute.type === 'array') return undefined
  return attribute.enum.includes(value) ? undefined : 'is none of the values that are allowed'
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ''

/**
 * What is wrong with a profile, or with the changed part of one, a sentence an attribute. Only of a whole one is it wrong
 * that something is not named; what is removed counts as named.
 */
export function profileProblems(
  { base, custom }: UserSchema,
  fields: Readonly<Record<string, unknown>>,
  { whole }: { readonly whole: boolean },
): readonly string[] {
  const all: Attributes = { ...base, ...custom }
  const names = new Set([...(whole ? Object.keys(all) : []), ...Object.keys(fields)])
  return [...names].flatMap((name) => {
    const attribute = Object.hasOwn(all, name) ? all[name] : undefined
    const value = fields[name]
    if (isBlank(value) && attribute?.required === true) return [`${name}: The field cannot be left blank`]
    // For an attribute that the schema does not have it makes no difference whether there was a value to take away.
    if (value === undefined || value === null) return []
    if (attribute === undefined) return [`${name.slice(0, 64)}: is not an attribute of the user schema`]
    const problem = problemOf(name, value, attribute)
    return problem === undefined ? [] : [`${name}: ${problem}`]
  })
}

/** The custom attributes that a user may see, and with the user the apps. */
export const visibleAttributes = ({ custom }: UserSchema): readonly string[] =>
  Object.entries(custom).flatMap(([name, { permissions = [] }]) =>
    permissions.some(({ principal, action }) => principal === 'SELF' && action === 'HIDE') ? [] : [name],
  )

/** The attributes whose pattern is ignored, since it cannot be matched in linear time: an older version stored it. */
export const ignoredPatterns = ({ base, custom }: UserSchema): readonly string[] =>
  Object.entries({ ...base, ...custom }).flatMap(([name, { pattern }]) =>
    pattern !== undefined && linearPattern(pattern) === undefined ? [name] : [],
  )
