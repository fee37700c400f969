import { personStatuses } from '../../directory/index.ts'

// The control API for programs that make clients of it (OpenAPI 3.1). Pages for people are not in it.

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
    id: text('Newer mails have higher ids.'),
    to: text('The address it was sent to.'),
    from: text(),
    subject: text(),
    text: text(),
    html: text(),
    code: textOrNull('The code in it, or null.'),
    link: textOrNull('Where its button leads, or null.'),
    template: textOrNull('Which mail it is, such as ForgotPassword.'),
    sentAt: text('ISO time on the engine’s clock.'),
  },
  ['id', 'to', 'from', 'subject', 'text', 'html', 'code', 'link', 'template', 'sentAt'],
)
const names = {
  email: text('The login where absent.'),
  firstName: text(),
  lastName: text(),
  locale: text('The language of her mails, such as de-AT.'),
  status: { type: 'string', enum: [...personStatuses] },
}
const person = object({ id: text(), login: text(), ...names }, ['id', 'login', 'email', 'status'])
const newPerson = object({ login: text(), ...names, password: text() }, ['login'])
const clock = object({ now: text('ISO time.') }, ['now'])
const deleted = object({ deleted: whole('How many.') }, ['deleted'])
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

const to = text('Only mail to this address.')

/** Every call, by method and path. */
const calls: Readonly<Record<string, Call>> = {
  'GET /messages': { summary: 'Mails that were sent, newest first', query: { to }, answer: list(message) },
  'GET /messages/wait': {
    summary: 'One mail, as soon as it is there; 408 where none comes',
    query: {
      to,
      after: text('Only mail newer than the one with this id.'),
      timeout: whole('Milliseconds; 5000 unless told.'),
    },
    answer: message,
  },
  'GET /messages/stream': {
    summary: 'Mails as they come, as server-sent events',
    answer: text(),
    type: 'text/event-stream',
  },
  'GET /messages/{id}': { summary: 'One mail', answer: message },
  'GET /messages/{id}/source': {
    summary: 'One mail as it came over the wire',
    answer: text(),
    type: 'message/rfc822',
  },
  'DELETE /messages': { summary: 'Empties the inbox', answer: deleted },
  'POST /people': { summary: 'Creates a person', body: newPerson, status: 201, answer: person },
  'PATCH /people/{id}': {
    summary: 'Changes a person',
    body: object({ ...names, password: text() }),
    answer: person,
  },
  'DELETE /people/{id}': { summary: 'Removes a person', answer: deleted },
  'POST /sign-in': {
    summary: 'Tokens for somebody, without walking the pages',
    body: object(
      {
        login: text(),
        client: text('A client’s id.'),
        scopes: list(text()),
        server: { type: 'string', enum: ['default', 'org'] },
      },
      ['login'],
    ),
    answer: signedIn,
  },
  'GET /clock': { summary: 'Reads the engine’s clock', answer: clock },
  'POST /clock': {
    summary: 'Moves the engine’s clock: by a span, or to a moment',
    body: object({ advance: text('Such as 5m or 1h30m.'), now: text('ISO time with its zone.') }),
    answer: clock,
  },
  'POST /reset': { summary: 'Back to the seed, clock included', answer: clock },
  'POST /faults': {
    summary: 'Makes the next answers of a path, or the next deliveries of mail, fail',
    body: object({
      path: text('Of the engine, such as /idp/idx/identify.'),
      status: whole('From 400 to 599; 503 unless told.'),
      smtp: { type: 'string', enum: ['refuse', 'drop', 'slow'] },
      delay: text('Of a slow delivery: 2s unless told.'),
      times: whole('1 unless told.'),
    }),
    answer: anything,
  },
  'GET /events': { summary: 'The system log, newest first', answer: list(anything) },
  'GET /transactions': { summary: 'Conversations, newest first', answer: list(anything) },
  'GET /transactions/{id}': { summary: 'One conversation as a timeline', answer: anything },
  'GET /openapi/engine.json': { summary: 'The engine’s own HTTP API as OpenAPI', answer: anything },
  'GET /openapi.json': { summary: 'This document', answer: anything },
}

/** The description of the control API, for the address it is served at. */
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
      description: 'For development and tests: mails, people, time and failures.',
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
