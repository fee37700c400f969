import { type Static, type TProperties, Type } from 'typebox'
import { inputTypes, mostAttributes, passwordRuleLimits } from '../../policies/index.ts'
import {
  anything,
  displayed,
  either,
  filled,
  links,
  named,
  optional,
  page,
  status,
  textOrNull,
  texts,
  time,
} from '../schema.ts'

/** The types of policies that are stored. */
export const policyTypes = [
  'PASSWORD',
  'OKTA_SIGN_ON',
  'ACCESS_POLICY',
  'MFA_ENROLL',
  'PROFILE_ENROLLMENT',
  'IDP_DISCOVERY',
] as const
export type PolicyType = (typeof policyTypes)[number]

/** Types of which Okta's orgs may have policies and this engine has none: their lists are empty. */
const otherTypes = [
  'POST_AUTH_SESSION',
  'ENTITY_RISK',
  'SESSION_VIOLATION_DETECTION',
  'DEVICE_SIGNAL_COLLECTION',
  'CLIENT_UPDATE',
  'IDENTITY_CLAIM_SOURCING',
] as const

const part = <T extends TProperties>(members: T) => optional(Type.Object(members))
const count = (maximum: number) => optional(Type.Integer({ minimum: 0, maximum }))
const access = optional(either('ALLOW', 'DENY'))
const names = optional(texts)

const lists = { include: names, exclude: names }
const conditions = part({ people: part({ groups: part(lists), users: part(lists) }) })

const limited = (name: string) => count(passwordRuleLimits[name]?.maximum ?? 0)
const complexity = part({
  minLength: limited('minLength'),
  minLowerCase: limited('minLowerCase'),
  minUpperCase: limited('minUpperCase'),
  minNumber: limited('minNumber'),
  minSymbol: limited('minSymbol'),
  excludeUsername: optional(Type.Boolean()),
  excludeAttributes: names,
  dictionary: part({ common: part({ exclude: optional(Type.Boolean()) }) }),
})
const age = part({
  maxAgeDays: limited('maxAgeDays'),
  expireWarnDays: limited('expireWarnDays'),
  minAgeMinutes: limited('minAgeMinutes'),
  historyCount: limited('historyCount'),
})
const lockout = part({ maxAttempts: count(100), autoUnlockMinutes: count(100_000) })
const factor = part({ status: optional(status) })
const enrollable = Type.Object({
  key: filled(100),
  enroll: part({
    self: optional(either('NOT_ALLOWED', 'OPTIONAL', 'REQUIRED')),
    autoEnroll: optional(
      Type.Boolean({ description: 'Of `okta_email`: false where users have to prove their mailbox.' }),
    ),
  }),
})

/** Of all types: their members have different names. */
const settings = part({
  password: part({ complexity, age, lockout }),
  recovery: part({
    factors: part({ okta_email: factor, okta_sms: factor, okta_call: factor, recovery_question: factor }),
  }),
  type: optional(Type.String({ maxLength: 100 })),
  authenticators: optional(Type.Array(enrollable, { maxItems: 200 })),
})

const methods = optional(Type.Array(anything, { maxItems: 200, hint: 'a list of objects' }))
const demand = part({
  required: optional(Type.Boolean()),
  types: names,
  methods: names,
  authenticationMethods: methods,
  excludedAuthenticationMethods: methods,
})
const constraint = Type.Object({ knowledge: demand, possession: demand, inherence: demand })

const attribute = Type.Object({
  name: filled(64),
  label: optional(displayed(100)),
  required: optional(Type.Boolean()),
  inputType: optional(
    Type.Enum([...inputTypes], {
      description: 'How the field is shown, where there are several ways: a list as `select` or `radio`.',
    }),
  ),
})
const attributes = optional(
  Type.Refine(
    // Clients merge the attributes that there are with theirs: some stand in the list twice.
    Type.Array(attribute, {
      maxItems: 100,
      hint: `a list of at most ${mostAttributes} attributes, each with a name, a label, and required as true or false`,
    }),
    (list) => new Set(list.map(({ name }) => name)).size <= mostAttributes,
    () => `must be a list of at most ${mostAttributes} attributes`,
  ),
)

const actions = part({
  selfServicePasswordReset: part({
    access,
    requirement: part({
      primary: part({ methods: names, methodConstraints: methods }),
      stepUp: part({ required: optional(Type.Boolean()), methods: names }),
    }),
  }),
  selfServiceUnlock: part({ access }),
  passwordChange: part({ access }),
  signon: part({ access }),
  appSignOn: part({
    access,
    verificationMethod: part({
      factorMode: optional(either('1FA', '2FA')),
      constraints: Type.Optional(
        Type.Union([Type.Array(constraint, { maxItems: 20 }), constraint, Type.Null()], {
          hint: 'a list of at most 20 constraints',
        }),
      ),
    }),
  }),
  enroll: part({ self: optional(Type.String({ maxLength: 100 })) }),
  profileEnrollment: part({
    access,
    unknownUserAction: optional(either('REGISTER', 'DENY')),
    profileAttributes: attributes,
    targetGroupIds: names,
    activationRequirements: part({ emailVerification: optional(Type.Boolean()) }),
    progressiveProfilingAction: optional(either('ENABLED', 'DISABLED')),
    enrollAuthenticatorTypes: optional(
      Type.Array(Type.String({ pattern: '^[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]$', hint: '`password`' }), {
        maxItems: 10,
        description: '`password`: the form asks for the password, too.',
      }),
    ),
  }),
})

const common = {
  name: displayed(255),
  description: optional(Type.String({ maxLength: 1024 })),
  status: optional(status),
  priority: optional(Type.Integer({ minimum: 0 })),
  conditions,
}

export const newPolicy = named('NewPolicy', { type: either(...policyTypes), ...common, settings })
export type NewPolicy = Static<typeof newPolicy>

export const policyChanges = named('PolicyChanges', {
  type: Type.Optional(either(...policyTypes)),
  ...common,
  settings,
})
export type PolicyChanges = Static<typeof policyChanges>

export const newPolicyRule = named('NewPolicyRule', {
  type: optional(Type.String({ maxLength: 100 })),
  ...common,
  actions,
})
export type NewPolicyRule = Static<typeof newPolicyRule>

const stored = {
  id: Type.String(),
  name: Type.String(),
  status,
  priority: Type.Integer({ minimum: 1 }),
  system: Type.Boolean({ description: 'Built in: has the lowest priority and applies to everyone.' }),
  created: time,
  lastUpdated: time,
  conditions: optional(anything),
  _links: links,
}

export const policyRule = named('PolicyRule', { ...stored, type: Type.String() })

export const policy = named('Policy', {
  ...stored,
  type: either(...policyTypes),
  description: textOrNull,
  _embedded: Type.Optional(Type.Object({ rules: Type.Array(policyRule) })),
})

const expand = Type.Optional(
  Type.String({ description: '`rules`: each policy with its rules in `_embedded`.' }),
)

export const policyQuery = { expand }

export const policiesQuery = {
  ...page,
  type: either(...policyTypes, ...otherTypes),
  q: Type.Optional(Type.String({ description: 'The beginning of a name.' })),
  status: Type.Optional(status),
  resourceId: Type.Optional(Type.String({ description: 'The id of an app: the policies that apply to it.' })),
  expand,
}
