import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Operation, operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { fc } from '../support/draws.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { thingsThere } from './things.ts'

/** Member names of all bodies: the more of them match, the deeper an invalid body is read. */
const words = [
  ...[
    'profile',
    'login',
    'email',
    'firstName',
    'locale',
    'department',
    'credentials',
    'password',
    'value',
    'hash',
  ],
  ...[
    'algorithm',
    'salt',
    'groupIds',
    'oldPassword',
    'newPassword',
    'recovery_question',
    'question',
    'answer',
  ],
  ...['name', 'description', 'label', 'signOnMode', 'oauthClient', 'client_id', 'client_secret', 'settings'],
  ...[
    'application_type',
    'grant_types',
    'redirect_uris',
    'jwks',
    'keys',
    'kty',
    'n',
    'e',
    'scopeId',
    'issuer',
  ],
  ...['token_endpoint_auth_method', 'origin', 'scopes', 'type', 'status', 'priority', 'system', 'conditions'],
  ...[
    'people',
    'groups',
    'users',
    'include',
    'exclude',
    'actions',
    'signon',
    'appSignOn',
    'access',
    'constraints',
  ],
  ...[
    'selfServicePasswordReset',
    'requirement',
    'primary',
    'methods',
    'stepUp',
    'required',
    'lockout',
    'complexity',
  ],
  ...[
    'minLength',
    'age',
    'historyCount',
    'maxAttempts',
    'factorMode',
    'knowledge',
    'possession',
    'id',
    'expression',
  ],
  ...[
    'definitions',
    'custom',
    'base',
    'properties',
    'permissions',
    'master',
    'title',
    'enum',
    'resourceType',
    'key',
  ],
]
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER,
    '',
    ' ',
    'x',
    '\ud83d\ude00',
  ),
  fc.constantFrom(
    'PASSWORD',
    'ACCESS_POLICY',
    'ACTIVE',
    'DENY',
    'ALLOW',
    'web',
    'service',
    'OPENID_CONNECT',
    'CORS',
  ),
  fc.constantFrom(
    'ada@example.com',
    'https://shop.example',
    '*',
    '%',
    "'; --",
    '../..',
    '\u202e',
    'x'.repeat(5000),
  ),
  fc.string({ maxLength: 10 }),
)
const { value: any } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'large' },
    leaf,
    fc.dictionary(fc.constantFrom(...words), tie('value'), { maxKeys: 8 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}))
const bodies = fc.dictionary(fc.constantFrom(...words), any, { maxKeys: 12 })

const parameters = fc.dictionary(
  fc.constantFrom(
    ...['limit', 'after', 'q', 'filter', 'search', 'type', 'activate', 'sendEmail', 'nextLogin', 'expand'],
    ...[
      'since',
      'until',
      'sortOrder',
      'sortBy',
      'revokeSessions',
      'strict',
      'status',
      'resourceId',
      'fields',
    ],
  ),
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('true', '0', '5', '\u0000', 'PASSWORD', '00u'),
  ),
  { maxKeys: 4 },
)
const ids = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom('%00', '..', 'x'.repeat(900), '00u', 'me', 'default') },
)

const ends = ({ method, path }: Operation) =>
  method === 'DELETE' || /lifecycle\/(deactivate|suspend)/.test(path)

/** Operations that delete come last, so that the others still find their resources. */
const ordered = operations.toSorted((a, b) => Number(ends(a)) - Number(ends(b)))

onEachDatabase('garbage', (database) => {
  let idp: Kit
  let place: TestDatabase
  let api: Api
  let known: Readonly<Record<string, string>>
  beforeAll(async () => {
    place = await database.create()
    idp = await startEngine({ database: place.url })
    api = apiOf(idp)
    known = await thingsThere(idp)
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  test.each(ordered.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    'at %s is refused or obeyed, and never a failure',
    async (_, { method, path }) => {
      await fc.assert(
        fc.asyncProperty(bodies, parameters, ids, async (body, query, id) => {
          const address = path.replace(/:(\w+)/g, (_, name: string) =>
            encodeURIComponent(id ?? known[name] ?? 'nothing-has-this-id'),
          )
          const asked = new URLSearchParams(query).toString()
          const answer = await api(method, `${address}?${asked}`, method === 'GET' ? undefined : body)
          expect([answer.status, answer.text].join(' ')).toMatch(/^(2|400|403|404|405|409|413|501)/)
          if (answer.status >= 400) expect(answer.body.errorCode).toMatch(/^E\d{7}$/)
        }),
        { numRuns: 20 },
      )
    },
  )

  test('leaves the engine working', async () => {
    const profile = {
      login: 'ada@example.com',
      email: 'ada@example.com',
      firstName: 'Ada',
      lastName: 'Lovelace',
    }
    const { id } = (await api('POST', '/users?activate=false', { profile })).body
    const found = await api(
      'GET',
      `/users?${new URLSearchParams({ search: 'profile.login eq "ADA@example.com"' })}`,
    )
    expect(found.list.map((person) => person.id)).toEqual([id])
    expect((await api('GET', '/groups')).status).toBe(200)
    expect((await api('GET', '/apps')).status).toBe(200)
  })
})

test('a lone surrogate in a body is refused at any place, and nothing is stored', async () => {
  await using idp = await startEngine()
  const profile = { login: 'half@example.com', email: 'half@example.com' }
  for (const body of [
    { profile: { ...profile, firstName: 'Ada \ud800' } },
    { profile: { ...profile, '\udc00': 1 } },
    { profile, groupIds: ['\ud800'] },
  ]) {
    const { status, body: refused } = await apiOf(idp)('POST', '/users', body)
    expect([status, refused.errorCode]).toEqual([400, 'E0000003'])
  }
  expect((await apiOf(idp)('GET', '/users/half@example.com')).status).toBe(404)
})
