import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Operation, operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'
import { problems } from './described.ts'
import { thingsThere } from './things.ts'

let idp: Kit
let api: Api
let known: Readonly<Record<string, string>>
beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
})
beforeEach(async () => {
  await idp.reset()
  known = await thingsThere(idp)
})
afterAll(() => idp.close())

const profile = {
  login: 'ada@example.com',
  email: 'ada@example.com',
  firstName: 'Ada',
  secondEmail: 'ada@example.org',
}
const question = { question: 'Where did the kettle come from?', answer: 'Grandma Rose' }
const password = 'Lighthouse-Biscuit-77'
const credentials = { password: { value: password }, recovery_question: question }
const hashed = {
  algorithm: 'SHA-256',
  salt: 'c29tZXNhbHQxMjM0NTY3OA==',
  saltOrder: 'PREFIX',
  value: 'ODjMbDhvdI0VPYYJNSM3SXPzEbK/pJCR0BZhLgbfiFg=',
}
const type = { id: 'otyDefault' }
const group = { profile: { name: 'Engines', description: 'All who build them' } }
const attribute = {
  type: 'string',
  title: 'Team',
  description: 'x',
  required: false,
  minLength: 1,
  maxLength: 9,
  pattern: '^[a-z]*$',
  enum: ['a', 'b'],
  permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
}
const origin = { name: 'Portal', origin: 'https://portal.example.com', scopes: [{ type: 'CORS' }] }

/** Valid bodies of operations, with as many of the described members as can be. */
const bodies: Readonly<Record<string, readonly object[]>> = {
  'POST /users': [
    { profile, credentials, type, groupIds: [] },
    { profile, credentials: { password: { hash: hashed } } },
  ],
  'POST /users/:userId': [{ profile, credentials, type }],
  'PUT /users/:userId': [{ profile, credentials, type }],
  'POST /users/:userId/credentials/change_password': [
    {
      oldPassword: { value: 'the present one' },
      newPassword: { value: password },
      revokeSessions: true,
    },
  ],
  'POST /users/:userId/credentials/change_recovery_question': [
    { password: { value: 'the present one' }, recovery_question: question },
  ],
  'POST /groups': [group],
  'PUT /groups/:groupId': [group],
  'POST /meta/schemas/user/:schemaId': [
    {
      definitions: {
        custom: { properties: { team: attribute } },
        base: { properties: { nickName: { title: 'Nick' } } },
      },
    },
  ],
  'POST /trustedOrigins': [origin],
  'PUT /trustedOrigins/:trustedOriginId': [origin],
}

/** Where the operations of a resource are described by schemas. */
const described = operations.filter(({ body, path }) => body !== undefined && isCovered(path))
function isCovered(path: string): boolean {
  // Bodies of factors depend on what was begun before: test/contract/management-factors.test.ts.
  return (
    /^\/(users|groups|meta|trustedOrigins)(\/|$)/.test(path) &&
    !/\/(factors|authenticator-enrollments)(\/|$)/.test(path)
  )
}

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const placesIn = (value: unknown, at: readonly string[] = []): readonly (readonly string[])[] =>
  isFields(value)
    ? Object.entries(value).flatMap(([name, below]) => [[...at, name], ...placesIn(below, [...at, name])])
    : []

function put(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) fields[name] = value
  else put(fields[name] as Fields, rest, value)
}

const values: readonly unknown[] = [null, 7, '', [], {}, true, 'x'.repeat(20_000)]
const omitNull = (_: string, value: unknown): unknown => (value === null ? undefined : value)
const causesOf = ({ body }: Answered) =>
  ((body.errorCauses ?? []) as { errorSummary: string }[]).map(({ errorSummary }) => errorSummary)

async function documented(method: string, path: string): Promise<object> {
  const document = (await (await fetch(`${idp.controlUrl}/openapi/engine.json`)).json()) as {
    paths: Record<
      string,
      Record<string, { requestBody?: { content: { 'application/json': { schema: object } } } }>
    >
  }
  const address = `/api/v1${path.replace(/:(\w+)/g, '{$1}')}`
  return (
    document.paths[address]?.[method.toLowerCase()]?.requestBody?.content['application/json'].schema ?? {}
  )
}

test('every described operation of these resources has an example', () => {
  expect(Object.keys(bodies).toSorted()).toEqual(
    described.map(({ method, path }) => `${method} ${path}`).toSorted(),
  )
})

/** The status agrees with the document for each member and each value. */
async function check({ method, path }: Operation, example: object): Promise<void> {
  const schema = (await documented(method, path)) as Readonly<Record<string, unknown>>
  const address = () => path.replace(/:(\w+)/g, (_, name: string) => known[name] ?? 'default')
  expect(problems(schema, withSecrets(example, idp))).toEqual([])
  for (const place of placesIn(example)) {
    for (const value of values) {
      const body = withSecrets(structuredClone(example), idp) as Fields
      put(body, place, value)
      const isValid = problems(schema, body).length === 0
      const answer = await api(method, address(), body)
      const what = `${place.join('.')} = ${JSON.stringify(value).slice(0, 30)}: ${answer.text.slice(0, 300)}`
      if (!isValid || answer.status >= 300) {
        expect([answer.status, answer.body.errorCode], what).toEqual([400, 'E0000001'])
        const names = causesOf(answer).map((cause) => cause.split(':')[0] ?? '')
        expect(
          names.some((name) => place.some((part) => name.split('.').includes(part)) || isAbout(name, place)),
          what,
        ).toBe(true)
      }
      if (answer.status < 300) await undo(method, path, answer)
      // Where null is allowed it is answered as what is absent: refused at most for what another member asks of this one.
      if (isValid && value === null && answer.status >= 300) {
        const without = await api(method, address(), JSON.parse(JSON.stringify(body, omitNull)) as object)
        expect([answer.status, causesOf(answer)], what).toEqual([without.status, causesOf(without)])
      }
    }
  }
}

/** A cause may name what the member is a part of: a password without its `value`, a required name that is missing. */
const isAbout = (name: string, place: readonly string[]): boolean =>
  place.includes('profile') && ['login', 'email', 'name'].includes(name)

function withSecrets(body: object, { person }: Kit): object {
  return JSON.parse(JSON.stringify(body).replaceAll('the present one', person.password)) as object
}

/** What was created is removed again, and what was changed is as it was. */
async function undo(method: string, path: string, { body }: Answered): Promise<void> {
  if (method === 'POST' && !path.includes(':')) {
    await api('DELETE', `${path}/${body.id}`)
    if (path === '/users') await api('DELETE', `${path}/${body.id}`)
    return
  }
  await idp.reset()
  known = await thingsThere(idp)
}

test.each(
  described.flatMap((operation) =>
    (bodies[`${operation.method} ${operation.path}`] ?? []).map(
      (body, index) => [`${operation.method} ${operation.path} (${index})`, operation, body] as const,
    ),
  ),
)('%s answers each value of each member as the document describes it', (_, operation, body) =>
  check(operation, body),
)
