import { channels } from '../../delivery/index.ts'
import { personStatuses } from '../../directory/index.ts'

// The description of the control API (OpenAPI 3.1), for generating clients. The HTML pages are not part of it.

const text = (description?: string) => ({ type: 'string', ...(description && { description }) })
const textOrNull = (description: string) => ({ type: ['string', 'null'], description })
const whole = (description: string) => ({ type: 'integer', description })
const object = (properties: Readonly<Record<string, object>>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})
const list = (items: object) => ({ type: 'array', items })
const anything = { type: 'object' }

const message = object(
  {
    id: text('Newer messages have higher ids.'),
    channel: { type: 'string', enum: [...channels] },
    to: text('The address, or of a text or call the number, it was sent to.'),
    from: text(),
    subject: text(),
    text: text(),
    html: text(),
    code: textOrNull('The code in it, or null.'),
    link: textOrNull('The link of its button, or null.'),
    template: textOrNull('The mail template, such as ForgotPassword.'),
    sentAt: text('The ISO time by the clock of the engine.'),
  },
  ['id', 'channel', 'to', 'from', 'subject', 'text', 'html', 'code', 'link', 'template', 'sentAt'],
)
const names = {
  email: text('The default is the login.'),
  firstName: text(),
  lastName: text(),
  locale: text('The language of mails to the user, such as de-AT.'),
  status: { type: 'string', enum: [...personStatuses] },
}
const person = object({ id: text(), login: text(), ...names }, ['id', 'login', 'email', 'status'])
const factor = {
  type: 'object',
  properties: {
    type: {
      type: 'string',
      enum: ['google_otp', 'phone_number', 'security_question', 'recovery_codes', 'webauthn'],
    },
    phoneNumber: text('Of a phone: the number with its country.'),
    methods: list({ type: 'string', enum: ['sms', 'voice'] }),
    name: text('Of a phone or passkey: what the user calls it.'),
    answer: text('Of a security question.'),
    question: text('The key of a security question. The default is disliked_food.'),
  },
  required: ['type'],
}
const enrolled = object(
  {
    id: text('Of the enrollment.'),
    sharedSecret: text('Of an authenticator app: in base32.'),
    codes: list(text('A recovery code, good once.')),
    credential: {
      ...anything,
      description: 'Of a passkey: the parameter of WebAuthn.addCredential of Chrome’s virtual authenticator.',
    },
  },
  ['id'],
)
const newPerson = object(
  {
    ...{ login: text(), ...names, password: text(), emailVerified: { type: 'boolean' } },
    phone: text('The number of a phone to enrol, such as +15555550100.'),
    factors: list(factor),
  },
  ['login'],
)
const added = object({ id: text(), login: text(), ...names, factors: list(enrolled) }, [
  'id',
  'login',
  'email',
  'status',
])
const clock = object(
  { now: text('ISO time.'), note: text('What to know, where the clock was set back to before the seed.') },
  ['now'],
)
const deleted = object({ deleted: whole('The number of deleted items.') }, ['deleted'])
const signedIn = object(
  {
    accessToken: text(),
    idToken: text('With the scope openid.'),
    refreshToken: text('With the scope offline_access.'),
    scopes: list(text()),
    sdkTokens: anything,
    headers: anything,
  },
  ['accessToken', 'scopes', 'sdkTokens', 'headers'],
)

interface Call {
  readonly summary: string
  readonly query?: Readonly<Record<string, object>>
  readonly body?: object
  readonly status?: number
  readonly answer: object
  readonly type?: string
}

const to = text('Only messages to this address, or to this number: +15555550100.')
const channel = { type: 'string', enum: [...channels], description: 'Only messages of this channel.' }

/** All operations, by method and path. */
const calls: Readonly<Record<string, Call>> = {
  'GET /messages': {
    summary: 'List mails, texts and calls, newest first',
    query: { to, channel },
    answer: list(message),
  },
  'GET /messages/wait': {
    summary: 'Wait for a message; 408 if none arrives in time',
    query: {
      to,
      channel,
      after: text('Only mail newer than the one with this id.'),
      timeout: whole('Milliseconds. The default is 5000.'),
    },
    answer: message,
  },
  'GET /messages/stream': {
    summary: 'Stream mails as server-sent events',
    answer: text(),
    type: 'text/event-stream',
  },
  'GET /messages/{id}': { summary: 'Get a mail', answer: message },
  'GET /messages/{id}/source': {
    summary: 'Get the source of a mail',
    answer: text(),
    type: 'message/rfc822',
  },
  'DELETE /messages/{id}': { summary: 'Delete a mail', answer: deleted },
  'DELETE /messages': { summary: 'Delete all mails', answer: deleted },
  'GET /people': {
    summary: 'List users, at most a thousand',
    query: { login: text('Only the user who has this as login or email.') },
    answer: list(person),
  },
  'GET /people/{id}': { summary: 'Get a user', answer: person },
  'POST /people': { summary: 'Create a user', body: newPerson, status: 201, answer: added },
  'GET /people/{id}/factors': {
    summary: 'List what a user has besides the password',
    answer: list(object({ id: text(), authenticator: text(), name: textOrNull('What the user calls it.') })),
  },
  'POST /people/{id}/factors': {
    summary: 'Enrol a factor for a user, without page, code or notice',
    body: factor,
    status: 201,
    answer: enrolled,
  },
  'PATCH /people/{id}': {
    summary: 'Update a user',
    body: object({ ...names, password: text() }),
    answer: person,
  },
  'DELETE /people/{id}': { summary: 'Delete a user', answer: deleted },
  'POST /sign-in': {
    summary: 'Sign a user in without the pages',
    body: object(
      {
        login: text(),
        client: text('The client id.'),
        scopes: list(text()),
        server: { type: 'string', enum: ['default', 'org'] },
      },
      ['login'],
    ),
    answer: signedIn,
  },
  'GET /clock': { summary: 'Get the time of the engine', answer: clock },
  'POST /clock': {
    summary: 'Move the clock of the engine by a duration or to a time',
    body: object({
      advance: text('A duration such as 5m or 1h30m.'),
      now: text('An ISO time with its zone.'),
    }),
    answer: clock,
  },
  'POST /reset': { summary: 'Reset the engine to its seeded state, including the clock', answer: clock },
  'POST /faults': {
    summary: 'Make the next requests to a path, or the next mail deliveries, fail',
    body: object({
      path: text('A path of the engine, such as /idp/idx/identify.'),
      status: whole('From 400 to 599. The default is 503.'),
      smtp: { type: 'string', enum: ['refuse', 'drop', 'slow'] },
      delay: text('The delay of a slow delivery. The default is 2s.'),
      times: whole('The default is 1.'),
    }),
    answer: anything,
  },
  'GET /events': { summary: 'List the events of the system log, newest first', answer: list(anything) },
  'GET /transactions': { summary: 'List transactions, newest first', answer: list(anything) },
  'GET /transactions/{id}': { summary: 'Get the timeline of a transaction', answer: anything },
  'GET /openapi/engine.json': { summary: 'Get the OpenAPI description of the engine', answer: anything },
  'GET /openapi.json': { summary: 'Get this description', answer: anything },
}

/** The description of the control API for the address where it is served. */
export function openApiOf(url: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [name, call] of Object.entries(calls)) {
    const [method = '', path = ''] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, call) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rekey control API',
      version: '1',
      description: 'For development and tests: mails, users, time and failures.',
    },
    servers: [{ url }],
    paths,
  }
}

const operationOf = (path: string, { summary, query = {}, body, status = 200, answer, type }: Call) => ({
  summary,
  parameters: [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: text(),
    })),
    ...Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema })),
  ],
  ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
  responses: {
    [status]: { description: 'done', content: { [type ?? 'application/json']: { schema: answer } } },
    '4XX': {
      description: 'refused',
      content: {
        'application/json': { schema: object({ error: text(), message: text() }, ['error', 'message']) },
      },
    },
  },
})
