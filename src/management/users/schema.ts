import { type Static, type TObject, type TSchema, Type } from 'typebox'
import { baseAttributes, personStatuses } from '../../directory/index.ts'
import { importableHashes } from '../../passwords/index.ts'
import { longestPassword } from '../../policies/index.ts'
import {
  anything,
  closed,
  criteria,
  either,
  filled,
  links,
  named,
  optional,
  page,
  textOrNull,
  texts,
  time,
  timeOrNull,
} from '../schema.ts'

const names: Readonly<Record<string, TSchema>> = {
  login: filled(100, { description: 'The username, unique.' }),
  email: filled(254, { description: 'The primary email address, unique.' }),
}

const attributes = Object.fromEntries(
  Object.entries(baseAttributes).map(([name, { title = name }]) => [
    name,
    names[name] ?? Type.Optional(Type.Union([Type.String(), Type.Null()], { description: title })),
  ]),
)

/** A profile is validated against the user schema, which can be changed; documents show the attributes of every user. */
const profileBy = (documented: TSchema) => Type.Record(Type.String(), Type.Unknown(), { documented })

const profile = Type.Object(attributes, {
  title: 'UserProfile',
  description: 'The attributes of the user schema; null ones are absent.',
})
const newProfile = profileBy(profile)
const changedProfile = profileBy(
  Type.Partial(Type.Object(attributes), {
    description: 'Attributes that are not given stay, null ones are removed.',
  }),
)

const passwordHash = Type.Object(
  {
    algorithm: Type.String({ description: `One of ${importableHashes.join(', ')}.` }),
    value: Type.String(),
    salt: optional(Type.String()),
    saltOrder: optional(Type.String({ description: 'PREFIX or POSTFIX.' })),
    workFactor: optional(Type.Integer()),
    digestAlgorithm: optional(Type.String()),
    iterationCount: optional(Type.Integer()),
    keySize: optional(Type.Integer()),
  },
  { description: 'A hash made by another system, instead of a value.' },
)

const credentials = optional(
  Type.Object({
    password: optional(
      Type.Object({
        value: optional(Type.String({ minLength: 1, maxLength: longestPassword })),
        hash: optional(passwordHash),
        hook: Type.Optional(Type.Null({ hint: 'absent: password hooks are not supported' })),
      }),
    ),
    recovery_question: optional(
      Type.Object(
        {
          question: optional(Type.String({ maxLength: 255 })),
          answer: optional(Type.String({ maxLength: 100 })),
        },
        { description: 'Without an answer the stored one stays.' },
      ),
    ),
  }),
)

const type = optional(
  Type.Object({ id: optional(either('otyDefault')) }, { description: 'There is one type of user.' }),
)

export const newUser = named('NewUser', {
  profile: newProfile,
  credentials,
  type,
  groupIds: optional(texts),
})
export type NewUser = Static<typeof newUser>

export const userReplacement = named('UserReplacement', { profile: newProfile, credentials, type })
export type UserReplacement = Static<typeof userReplacement>

export const userChanges = named('UserChanges', { profile: optional(changedProfile), credentials, type })
export type UserChanges = Static<typeof userChanges>

export const user = named(
  'User',
  {
    id: Type.String(),
    status: either(...personStatuses),
    created: time,
    activated: Type.Null(),
    statusChanged: timeOrNull,
    lastLogin: timeOrNull,
    lastUpdated: time,
    passwordChanged: timeOrNull,
    type: Type.Object({ id: Type.String() }),
    profile,
    credentials: anything,
    terms: Type.Optional(
      Type.Object(
        { version: Type.String(), agreed: time },
        { description: 'The version of the terms that the user has agreed to last, and when.' },
      ),
    ),
    _links: links,
  },
  closed,
)

export const shownCredentials = named(
  'Credentials',
  {
    password: Type.Optional(Type.Object({}, closed)),
    recovery_question: Type.Optional(Type.Object({ question: Type.String() }, closed)),
    emails: Type.Array(
      Type.Object({ value: Type.String(), status: Type.String(), type: Type.String() }, closed),
    ),
    provider: anything,
  },
  closed,
)

export const token = named(
  'Token',
  {
    activationUrl: Type.Optional(Type.String()),
    activationToken: Type.Optional(Type.String()),
    resetPasswordUrl: Type.Optional(Type.String()),
    tempPassword: Type.Optional(Type.String()),
  },
  { description: 'The link or token, if `sendEmail=false` was given.' },
)

const secret = (description: string) => Type.Object({ value: filled(longestPassword, { description }) })

export const passwordChange = named('PasswordChange', {
  oldPassword: secret('The present password.'),
  newPassword: secret('The new password.'),
  revokeSessions: optional(
    Type.Boolean({ description: 'Without effect: the sessions of the user end in any case.' }),
  ),
})
export type PasswordChange = Static<typeof passwordChange>

export const questionChange = named('QuestionChange', {
  password: secret('The present password.'),
  recovery_question: Type.Object({ question: filled(255), answer: filled(100) }),
})
export type QuestionChange = Static<typeof questionChange>

export const appLink = named('AppLink', {
  id: Type.String(),
  label: Type.String(),
  linkUrl: textOrNull,
  logoUrl: textOrNull,
  appName: Type.String(),
  appInstanceId: Type.String(),
  appAssignmentId: Type.String(),
  credentialsSetup: Type.Boolean(),
  hidden: Type.Boolean(),
  sortOrder: Type.Integer(),
})

const ordered = Type.Optional(Type.String({ description: 'Not supported: users are ordered by their ids.' }))

export const userList = {
  ...page,
  q: Type.Optional(Type.String({ description: 'The beginning of a first name, last name or email.' })),
  filter: criteria('For example `status eq "ACTIVE"`.'),
  search: criteria('For example `profile.lastName sw "Lo"` or `profile.level gt 9`.'),
  sortBy: ordered,
  sortOrder: ordered,
}
export type UserList = Static<TObject<typeof userList>>

export const creation = {
  activate: Type.Boolean({ default: true, description: 'false: the user stays STAGED.' }),
  nextLogin: Type.Optional(
    Type.Enum(['changePassword'], { description: 'The first sign-in requires a new password.' }),
  ),
}
export type Creation = Static<TObject<typeof creation>>

/** Of updates that may set a password. */
export const strictness = {
  strict: Type.Boolean({
    default: false,
    description: 'true: a new password must also satisfy the minimum age and the history of the policy.',
  }),
}
export type Strictness = Static<TObject<typeof strictness>>

export const mailing = {
  sendEmail: Type.Boolean({
    default: true,
    description: 'false: return the link or token instead of sending a mail.',
  }),
}
export type Mailing = Static<TObject<typeof mailing>>

/** Whether the sessions end at once; `usual` is the default of the operation. */
export const revoking = (usual: boolean) => ({
  revokeSessions: Type.Boolean({
    default: usual,
    description: 'true: also revoke the sessions of the user and their tokens.',
  }),
})
export type Revoking = Static<TObject<ReturnType<typeof revoking>>>

/** Without effect: Okta mails administrators, this engine only records an event. */
export const noticed = {
  sendEmail: Type.Boolean({ default: false, description: 'Without effect: administrators receive no mail.' }),
}

/** A session as an administrator sees it: which app, since when, from where. */
export const userGrant = named(
  'UserGrant',
  {
    id: Type.String(),
    status: either('ACTIVE'),
    source: either('END_USER'),
    issuer: Type.String(),
    clientId: Type.String(),
    userId: Type.String(),
    scopeId: Type.String(),
    created: time,
    lastUpdated: time,
    _links: links,
  },
  closed,
)

export const userSession = named(
  'UserSession',
  {
    id: Type.String(),
    userId: Type.String(),
    kind: either('APP', 'BROWSER'),
    browserSessionId: textOrNull,
    lastUsedAt: Type.Union([time, Type.Null()]),
    status: either('ACTIVE'),
    clientId: Type.String(),
    clientLabel: textOrNull,
    createdAt: time,
    expiresAt: time,
    amr: Type.Array(Type.String()),
    ipAddress: textOrNull,
    userAgent: textOrNull,
    browser: textOrNull,
    os: textOrNull,
  },
  closed,
)

/** The session of a browser, as Okta's sessions API has it. */
export const browserSession = named(
  'Session',
  {
    id: Type.String(),
    userId: Type.String(),
    login: Type.String(),
    createdAt: time,
    expiresAt: time,
    status: either('ACTIVE'),
    lastPasswordVerification: Type.Union([time, Type.Null()]),
    lastFactorVerification: Type.Union([time, Type.Null()]),
    amr: Type.Array(Type.String()),
    mfaActive: Type.Boolean(),
    _links: links,
  },
  closed,
)

/** What a user has asked for and what is not done yet. Okta's API has none of these. */
export const accountChange = named(
  'AccountChange',
  {
    id: Type.String(),
    kind: either('email', 'secondEmail', 'enrollment.remove'),
    status: either('UNVERIFIED', 'WAITING'),
    created: time,
    dueAt: Type.Optional(time),
    enrollmentId: Type.Optional(Type.String()),
    key: Type.Optional(Type.String()),
    email: Type.Optional(Type.String()),
    _links: links,
  },
  closed,
)
