import { Type } from 'typebox'
import { personStatuses } from '../../directory/index.ts'

// The request and response bodies of the management API, for client generators. Closed schemas list all members; a test
// compares the responses of a running engine with them.

const closed = { additionalProperties: false } as const
const time = Type.String({ format: 'date-time' })
const timeOrNull = Type.Union([time, Type.Null()])
const textOrNull = Type.Union([Type.String(), Type.Null()])
const texts = Type.Array(Type.String())
const anything = Type.Record(Type.String(), Type.Unknown())
const links = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Links to related resources and operations.',
})
const either = (...values: readonly string[]) => Type.Union(values.map((value) => Type.Literal(value)))
const status = either('ACTIVE', 'INACTIVE')

/** A reference to a schema by name. */
export const ref = (name: keyof typeof schemas) => Type.Unsafe({ $ref: `#/components/schemas/${name}` })

const profile = {
  login: Type.String({ maxLength: 100, description: 'The username, unique.' }),
  email: Type.String({ maxLength: 254, description: 'The primary email address, unique.' }),
  firstName: Type.Optional(textOrNull),
  lastName: Type.Optional(textOrNull),
  mobilePhone: Type.Optional(textOrNull),
  secondEmail: Type.Optional(textOrNull),
  locale: Type.Optional(textOrNull),
}

const credentials = Type.Object({
  password: Type.Optional(
    Type.Object({
      value: Type.Optional(Type.String({ maxLength: 256 })),
      hash: Type.Optional(Type.Object({ algorithm: Type.String() })),
    }),
  ),
  recovery_question: Type.Optional(
    Type.Object({ question: Type.Optional(Type.String()), answer: Type.Optional(Type.String()) }),
  ),
})

const group = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 255 }),
  description: Type.Optional(Type.Union([Type.String({ maxLength: 1024 }), Type.Null()])),
})

const party = Type.Object({
  id: textOrNull,
  type: Type.String(),
  alternateId: Type.Optional(textOrNull),
  displayName: Type.Optional(textOrNull),
})

const _conditions = Type.Optional(Type.Union([anything, Type.Null()]))
const names = Type.String({ minLength: 1, maxLength: 255 })
const _policyMembers = {
  id: Type.String(),
  name: names,
  status,
  priority: Type.Integer({ minimum: 1 }),
  system: Type.Boolean({ description: 'Built in: has the lowest priority and applies to everyone.' }),
  created: time,
  lastUpdated: time,
  type: Type.String(),
  _links: links,
}
export const schemas = {
  Error: Type.Object(
    {
      errorCode: Type.String({ description: 'For example E0000001.' }),
      errorSummary: Type.String(),
      errorLink: Type.String(),
      errorId: Type.String({ description: 'Identifies the error in the log of the server.' }),
      errorCauses: Type.Array(Type.Object({ errorSummary: Type.String() }, closed)),
    },
    closed,
  ),
  User: Type.Object(
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
      profile: Type.Object(profile),
      credentials: anything,
      _links: links,
    },
    closed,
  ),
  NewUser: Type.Object({
    profile: Type.Object(profile),
    credentials: Type.Optional(credentials),
    groupIds: Type.Optional(texts),
  }),
  UserChanges: Type.Object({
    profile: Type.Optional(Type.Partial(Type.Object(profile))),
    credentials: Type.Optional(credentials),
  }),
  Token: Type.Object(
    {
      activationUrl: Type.Optional(Type.String()),
      activationToken: Type.Optional(Type.String()),
      resetPasswordUrl: Type.Optional(Type.String()),
      tempPassword: Type.Optional(Type.String()),
    },
    { description: 'The link or token, if `sendEmail=false` was given.' },
  ),
  Group: Type.Object(
    {
      id: Type.String(),
      created: time,
      lastUpdated: time,
      lastMembershipUpdated: time,
      objectClass: texts,
      type: either('OKTA_GROUP', 'BUILT_IN'),
      profile: group,
      _links: links,
    },
    closed,
  ),
  NewGroup: Type.Object({ profile: group }),
  UserSchema: Type.Object({
    id: Type.String(),
    name: Type.String(),
    definitions: Type.Object({ base: anything, custom: anything }),
    properties: anything,
    _links: links,
  }),
  Credentials: Type.Object(
    {
      password: Type.Optional(Type.Object({}, closed)),
      recovery_question: Type.Optional(Type.Object({ question: Type.String() }, closed)),
      emails: Type.Array(
        Type.Object({ value: Type.String(), status: Type.String(), type: Type.String() }, closed),
      ),
      provider: anything,
    },
    closed,
  ),
  PasswordChange: Type.Object({
    oldPassword: Type.Object({ value: Type.String() }),
    newPassword: Type.Object({ value: Type.String({ maxLength: 256 }) }),
    revokeSessions: Type.Optional(Type.Boolean()),
    strict: Type.Optional(Type.Boolean()),
  }),
  QuestionChange: Type.Object({
    password: Type.Object({ value: Type.String() }),
    recovery_question: Type.Object({ question: Type.String(), answer: Type.String() }),
  }),
  AppLink: Type.Object({
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
  }),
  Session: Type.Object({
    id: Type.String(),
    userId: Type.String(),
    status: Type.Literal('ACTIVE'),
    clientId: Type.String(),
    clientLabel: textOrNull,
    createdAt: time,
    expiresAt: time,
    amr: Type.Array(Type.String(), { description: 'How the user was authenticated (RFC 8176).' }),
    ipAddress: textOrNull,
    userAgent: textOrNull,
  }),
  UserType: Type.Object({
    id: Type.String(),
    name: Type.String(),
    displayName: Type.String(),
    description: textOrNull,
    default: Type.Boolean(),
    created: time,
    lastUpdated: time,
    _links: links,
  }),
  UserSchemaChanges: Type.Object({
    definitions: Type.Optional(
      Type.Object({ custom: Type.Optional(anything), base: Type.Optional(anything) }),
    ),
  }),
  LogEvent: Type.Object({
    uuid: Type.String(),
    published: time,
    version: Type.Literal('0'),
    severity: either('DEBUG', 'INFO', 'WARN', 'ERROR'),
    eventType: Type.String(),
    displayMessage: Type.String(),
    outcome: Type.Object({
      result: either('SUCCESS', 'FAILURE', 'SKIPPED', 'ALLOW', 'DENY', 'CHALLENGE'),
      reason: Type.Optional(textOrNull),
    }),
    actor: party,
    target: Type.Optional(Type.Union([Type.Array(party), Type.Null()])),
    client: Type.Object({
      ipAddress: textOrNull,
      userAgent: Type.Union([Type.Object({ rawUserAgent: Type.String() }), Type.Null()]),
      id: textOrNull,
    }),
    transaction: Type.Object({ type: Type.Literal('WEB'), id: textOrNull }),
    debugContext: Type.Object({ debugData: Type.Record(Type.String(), Type.Unknown()) }),
  }),
}
