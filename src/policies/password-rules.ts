import { type TArray, type TBoolean, type TInteger, type TString, Type } from 'typebox'

/** The attributes of a profile that a rule reads, by name. */
type ProfileFields = Readonly<Record<string, unknown>>

/** One thing that a new password must satisfy. */
interface PasswordRequirement {
  /** As in "Password requirements: at least 8 characters, a number." */
  readonly words: string
  isMet(password: string): boolean
}

interface Described {
  /** Where a password policy has it below `settings.password`, as in Okta's Policies API. */
  readonly path: readonly ['complexity' | 'age', ...string[]]
  /** Of a number. */
  readonly minimum?: number
  readonly maximum?: number
  readonly description: string
  readonly presets: { readonly modern: unknown; readonly okta: unknown }
  /** Whether the settings of the IDX authenticator have it: the Sign-In Widget breaks at members that it does not know. */
  readonly inSettings: boolean
  /** The message of IDX where a password breaks it. */
  readonly message: 'password.passwordRequirementsNotMet' | 'password.common'
}

const unmet = { message: 'password.passwordRequirementsNotMet' } as const

const characters = (description: string, okta: number) =>
  ({
    ...unmet,
    description,
    minimum: 0,
    maximum: 100,
    presets: { modern: 0, okta },
    inSettings: true,
  }) as const

/**
 * The rules for a new password. The configuration, the policies of the management API, what IDX shows of them and the
 * checks are derived from this table, which `checks` completes.
 */
export const passwordRuleTable = {
  minLength: {
    ...unmet,
    path: ['complexity', 'minLength'],
    description: 'Fewest characters (Unicode code points).',
    minimum: 1,
    maximum: 256,
    presets: { modern: 12, okta: 8 },
    inSettings: true,
  },
  minLowerCase: { ...characters('Fewest lower case letters.', 1), path: ['complexity', 'minLowerCase'] },
  minUpperCase: { ...characters('Fewest upper case letters.', 1), path: ['complexity', 'minUpperCase'] },
  minNumber: { ...characters('Fewest digits.', 1), path: ['complexity', 'minNumber'] },
  minSymbol: { ...characters('Fewest symbols.', 1), path: ['complexity', 'minSymbol'] },
  excludeUsername: {
    ...unmet,
    path: ['complexity', 'excludeUsername'],
    description: 'Refuse parts of the username.',
    presets: { modern: true, okta: true },
    inSettings: true,
  },
  excludeAttributes: {
    ...unmet,
    path: ['complexity', 'excludeAttributes'],
    description: 'Refuse these profile attributes (`firstName`, `lastName`).',
    presets: { modern: ['firstName', 'lastName'], okta: [] },
    inSettings: true,
  },
  excludeCommon: {
    path: ['complexity', 'dictionary', 'common', 'exclude'],
    description: 'Refuse common passwords.',
    presets: { modern: true, okta: true },
    inSettings: false,
    message: 'password.common',
  },
  maxAgeDays: {
    ...unmet,
    path: ['age', 'maxAgeDays'],
    description: 'Days after which a password expires; 0: never.',
    minimum: 0,
    maximum: 10_000,
    presets: { modern: 0, okta: 0 },
    inSettings: false,
  },
  expireWarnDays: {
    ...unmet,
    path: ['age', 'expireWarnDays'],
    description: 'Days before a password expires from which users are warned at sign-in; 0: never.',
    minimum: 0,
    maximum: 10_000,
    presets: { modern: 0, okta: 0 },
    inSettings: false,
  },
  minAgeMinutes: {
    ...unmet,
    path: ['age', 'minAgeMinutes'],
    description: 'Minutes that must pass between two changes.',
    minimum: 0,
    maximum: 100_000,
    presets: { modern: 0, okta: 0 },
    inSettings: true,
  },
  historyCount: {
    ...unmet,
    path: ['age', 'historyCount'],
    description: 'How many earlier passwords are refused.',
    minimum: 0,
    maximum: 30,
    presets: { modern: 1, okta: 4 },
    inSettings: true,
  },
} as const satisfies Readonly<Record<string, Described>>

type Table = typeof passwordRuleTable
type PasswordRuleName = keyof Table

type Value<Preset> = Preset extends number ? number : Preset extends boolean ? boolean : readonly string[]

/** The rules for a new password. Named as in the management API's password policy. */
export type PasswordRules = {
  readonly [Name in PasswordRuleName]: Value<Table[Name]['presets']['modern']>
}

const entries = Object.entries(passwordRuleTable) as unknown as readonly (readonly [
  PasswordRuleName,
  Described,
])[]

/** An object with a value for each rule. */
const rulesWith = (valueFor: (name: PasswordRuleName, described: Described) => unknown): PasswordRules =>
  Object.fromEntries(entries.map(([name, described]) => [name, valueFor(name, described)])) as PasswordRules

export const passwordPreset = (preset: 'modern' | 'okta'): PasswordRules =>
  rulesWith((_, { presets }) => presets[preset])

type Group = Described['path'][0]
type NamesIn<G extends Group> = {
  [Name in PasswordRuleName]: Table[Name]['path'][0] extends G ? Name : never
}[PasswordRuleName]
type SchemaOf<V> = V extends number ? TInteger : V extends boolean ? TBoolean : TArray<TString>

/** The members of the configuration for a group of rules. Without defaults: absent ones come from the preset. */
export const configuredRules = <G extends Group>(group: G) =>
  Object.fromEntries(
    entries.flatMap(([name, { path, description, minimum, maximum, presets }]) =>
      path[0] !== group
        ? []
        : [
            [
              name,
              typeof presets.okta === 'boolean'
                ? Type.Boolean({ description })
                : Array.isArray(presets.okta)
                  ? Type.Array(Type.String(), { description })
                  : Type.Integer({
                      description,
                      ...(minimum !== undefined && { minimum }),
                      ...(maximum !== undefined && { maximum }),
                    }),
            ],
          ],
    ),
  ) as unknown as { [Name in NamesIn<G>]: SchemaOf<PasswordRules[Name]> }

/** The members of a policy below `settings.password` that are numbers, and what they may be. */
export const passwordRuleLimits: Readonly<
  Record<string, { readonly minimum: number; readonly maximum: number }>
> = Object.fromEntries(
  entries.flatMap(([name, { minimum, maximum }]) =>
    minimum === undefined || maximum === undefined ? [] : [[name, { minimum, maximum }]],
  ),
)

/** The members of a policy that are evaluated, below `settings`. */
export const passwordRulePaths: readonly string[] = entries.map(([, { path }]) =>
  ['password', ...path].join('.'),
)

type Fields = Readonly<Record<string, unknown>>

/** The rules as a policy has them, below `settings.password`. */
export function passwordRulesBody(rules: PasswordRules): Readonly<Record<Group, Fields>> {
  const body: Record<Group, Fields> = { complexity: {}, age: {} }
  for (const [name, { path }] of entries) {
    const [group, ...members] = path
    body[group] = withMember(body[group], members, rules[name])
  }
  return body
}

function withMember(fields: Fields, [name = '', ...below]: readonly string[], value: unknown): Fields {
  if (below.length === 0) return { ...fields, [name]: value }
  return { ...fields, [name]: withMember((fields[name] ?? {}) as Fields, below, value) }
}

/** The rules of a policy, from below `settings.password`. Members that are absent have Okta's defaults. */
export const passwordRulesIn = (body: unknown): PasswordRules =>
  rulesWith((_, { path, presets }) => {
    const value = path.reduce<unknown>(
      (at, member) => (typeof at === 'object' && at !== null ? (at as Fields)[member] : undefined),
      body,
    )
    return value ?? presets.okta
  })

/** The rules as the IDX authenticator shows them. */
export function passwordSettings(rules: PasswordRules): Readonly<Record<Group, Fields>> {
  const settings: Record<Group, Record<string, unknown>> = { complexity: {}, age: {} }
  for (const [name, { path, inSettings }] of entries) {
    if (inSettings) settings[path[0]][name] = rules[name]
  }
  return settings
}

/** More characters than this are refused, never cut off (code points). */
export const longestPassword = passwordRuleTable.minLength.maximum

/** Code points of the form that is hashed: an accent that was typed by itself must not count as a character more. */
const lengthOf = (text: string): number => [...text.normalize('NFC')].length

export const isTooLong = (password: string): boolean => lengthOf(password) > longestPassword

/** A password as a guesser's list would have it: wide, joined or capital letters are no other password. */
export const folded = (password: string): string => password.normalize('NFKC').toLowerCase()

const contains = (password: string, part: string): boolean => folded(password).includes(folded(part))

const atLeast =
  (pattern: RegExp, words: string) =>
  (count: number): readonly PasswordRequirement[] =>
    count === 0
      ? []
      : [
          {
            words: count === 1 ? words : `${words} (at least ${count})`,
            isMet: (password) => [...password].filter((character) => pattern.test(character)).length >= count,
          },
        ]

/** The parts of a username that a password must not contain: those of four characters and more. */
const partsOf = (login: string): readonly string[] =>
  login.split(/[.,\-_#@+\s]+/).filter((part) => lengthOf(part) >= 4)

const attributeNames: Readonly<Record<string, string>> = { firstName: 'first name', lastName: 'last name' }

/**
 * What is checked by the password and the profile alone, by rule. The other rules need more: a list, the earlier passwords,
 * the time.
 */
const checks: {
  readonly [Name in PasswordRuleName]?: (
    value: PasswordRules[Name],
    profile: ProfileFields,
  ) => readonly PasswordRequirement[]
} = {
  minLength: (count) => [
    { words: `at least ${count} characters`, isMet: (password) => lengthOf(password) >= count },
  ],
  minLowerCase: atLeast(/\p{Ll}/u, 'a lowercase letter'),
  minUpperCase: atLeast(/\p{Lu}/u, 'an uppercase letter'),
  minNumber: atLeast(/\p{Nd}/u, 'a number'),
  minSymbol: atLeast(/[^\p{L}\p{Nd}\s]/u, 'a symbol'),
  excludeUsername: (isExcluded, { login }) =>
    isExcluded
      ? [
          {
            words: 'no parts of your username',
            isMet: (password) => !partsOf(String(login)).some((part) => contains(password, part)),
          },
        ]
      : [],
  excludeAttributes: (attributes, profile) =>
    attributes.map((attribute) => ({
      words: `does not include your ${attributeNames[attribute] ?? attribute}`,
      isMet(password) {
        const value = profile[attribute]
        // A last name "A" must not block every password with an "a".
        return typeof value !== 'string' || lengthOf(value) < 3 || !contains(password, value)
      },
    })),
}

/** What a password of this user must satisfy, in the order of the table. */
export const passwordRequirements = (
  rules: PasswordRules,
  profile: ProfileFields,
): readonly PasswordRequirement[] =>
  entries.flatMap(([name]) => {
    const check = checks[name] as
      | ((value: unknown, profile: ProfileFields) => readonly PasswordRequirement[])
      | undefined
    return check?.(rules[name], profile) ?? []
  })
