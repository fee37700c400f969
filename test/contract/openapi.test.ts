import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { problems, undescribed } from './described.ts'

type Schema = Readonly<Record<string, unknown>>
type Content = Readonly<Record<string, { readonly schema: Schema }>>
interface Operation {
  readonly operationId?: string
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
interface Document {
  readonly openapi: string
  readonly servers: readonly unknown[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

let idp: Kit
let document: Document

beforeAll(async () => {
  idp = await startEngine()
  document = (await (await fetch(`${idp.controlUrl}/openapi/engine.json`)).json()) as Document
})
afterAll(() => idp.close())

test('the document is for the engine beside it', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(document.servers).toEqual([{ url: idp.engineUrl }])
})

test('every operation is described, with its role and scope and a unique id', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    path.startsWith('/api/v1') ? Object.keys(methods).map((method) => `${method} ${path}`) : [],
  )
  const served = operations.map(
    ({ method, path }) => `${method.toLowerCase()} /api/v1${path.replace(/:(\w+)/g, '{$1}')}`,
  )
  expect(described.toSorted()).toEqual(served.toSorted())
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ operationId }) => operationId ?? []),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

test('every path is served, with the methods that are described and no other', async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const answer = await fetch(idp.engineUrl + path.replace(/\{\w+\}/g, 'x'), {
      method: 'patch' in methods ? 'HEAD' : 'PATCH',
    })
    const allowed = answer.headers.get('allow')?.split(', ') ?? []
    // A pattern and a plain path that match the same address are both listed.
    const described = Object.entries(document.paths).flatMap(([other, theirs]) =>
      new RegExp(`^${other.replace(/\{\w+\}/g, '[^/]+')}$`).test(path.replace(/\{\w+\}/g, 'x'))
        ? Object.keys(theirs).map((method) => method.toUpperCase())
        : [],
    )
    expect(Object.keys(methods).length).toBeGreaterThan(0)
    expect(allowed.filter((method) => method !== 'HEAD').toSorted(), path).toEqual(
      [...new Set(described)].toSorted(),
    )
  }
})

test('every reference has a target', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '')
  expect(refs.length).toBeGreaterThan(50)
  for (const ref of new Set(refs)) {
    expect(document.components.schemas[ref.replace('#/components/schemas/', '')], ref).toBeDefined()
  }
})

describe('a running engine', () => {
  const group = { profile: { name: 'Staff' } }
  const app = {
    label: 'Portal',
    signOnMode: 'OPENID_CONNECT',
    settings: { oauthClient: { redirect_uris: [] } },
  }
  const origin = { name: 'Portal', origin: 'https://portal.example.com', scopes: [{ type: 'CORS' }] }
  const policy = { type: 'PASSWORD', name: 'Strict', conditions: { people: { groups: { include: [] } } } }
  const rule = { name: 'Reset', actions: { selfServicePasswordReset: { access: 'ALLOW' } } }
  const user = { profile: { login: 'ada', email: 'ada@example.com' } }

  /** Calls an operation; `apiOf` validates both bodies against the document. */
  async function call(template: string, ids: readonly string[] = [], body?: object, query = '') {
    const [method = '', path = ''] = template.split(' ')
    const left = [...ids]
    const answer = await apiOf(idp)(method, path.replace(/\{\w+\}/g, () => left.shift() ?? '') + query, body)
    expect(answer.status, `${template}: ${answer.text}`).toBeLessThan(300)
    return answer.body
  }

  test('returns what is described, resource by resource', async () => {
    const staff = await call('POST /groups', [], group)
    await call('GET /groups')
    await call('GET /groups/{groupId}', [staff.id])
    await call('PUT /groups/{groupId}', [staff.id], { profile: { name: 'Staff', description: 'All' } })
    const ada = await call('POST /users', [], user, '?activate=false')
    await call('GET /users')
    await call('GET /users/{userId}', [ada.id])
    await call('POST /users/{userId}', [ada.id], { profile: { firstName: 'Ada' } })
    await call('POST /users/{userId}/lifecycle/activate', [ada.id], undefined, '?sendEmail=false')
    await call('PUT /groups/{groupId}/users/{userId}', [staff.id, ada.id])
    await call('GET /groups/{groupId}/users', [staff.id])
    await call('GET /users/{userId}/groups', [ada.id])
    const { id: mary } = await call('GET /users/{userId}', [idp.person.login])
    await call('POST /users/{userId}/lifecycle/suspend', [mary])
    await call('POST /users/{userId}/lifecycle/unsuspend', [mary])
    await call('POST /users/{userId}/lifecycle/expire_password', [mary])
    await call('POST /users/{userId}/lifecycle/reset_password', [mary], undefined, '?sendEmail=false')
    await call('POST /users/{userId}/lifecycle/reset_password', [mary])
    await idp.signInAs(idp.person.login)
    const [session] = (await call('GET /users/{userId}/sessions', [mary])) as never as { id: string }[]
    await call('DELETE /users/{userId}/sessions/{sessionId}', [mary, session?.id ?? ''])
    await call('DELETE /users/{userId}/sessions', [mary])

    const portal = await call('POST /apps', [], app)
    await call('GET /apps')
    await call('GET /apps/{appId}', [portal.id])
    await call('PUT /apps/{appId}', [portal.id], { ...app, label: 'The portal' })
    await call('PUT /apps/{appId}/groups/{groupId}', [portal.id, staff.id])
    await call('GET /apps/{appId}/groups', [portal.id])
    await call('DELETE /apps/{appId}/groups/{groupId}', [portal.id, staff.id])
    await call('POST /apps/{appId}/users', [portal.id], { id: ada.id })
    await call('GET /apps/{appId}/users', [portal.id])
    await call('GET /apps/{appId}/users/{userId}', [portal.id, ada.id])
    const secret = await call('POST /apps/{appId}/credentials/secrets', [portal.id], {})
    await call('GET /apps/{appId}/credentials/secrets', [portal.id])
    await call('GET /apps/{appId}/credentials/secrets/{secretId}', [portal.id, secret.id])
    await call('POST /apps/{appId}/credentials/secrets/{secretId}/lifecycle/deactivate', [
      portal.id,
      secret.id,
    ])
    await call('POST /apps/{appId}/lifecycle/deactivate', [portal.id])
    await call('DELETE /apps/{appId}', [portal.id])

    const trusted = await call('POST /trustedOrigins', [], origin)
    await call('GET /trustedOrigins')
    await call('PUT /trustedOrigins/{trustedOriginId}', [trusted.id], origin)
    await call('POST /trustedOrigins/{trustedOriginId}/lifecycle/deactivate', [trusted.id])
    await call('DELETE /trustedOrigins/{trustedOriginId}', [trusted.id])

    const strict = await call('POST /policies', [], policy)
    await call('GET /policies', [], undefined, '?type=PASSWORD')
    await call('PUT /policies/{policyId}', [strict.id], policy)
    const reset = await call('POST /policies/{policyId}/rules', [strict.id], rule)
    await call('GET /policies/{policyId}/rules', [strict.id])
    await call('PUT /policies/{policyId}/rules/{ruleId}', [strict.id, reset.id], rule)
    await call('POST /policies/{policyId}/rules/{ruleId}/lifecycle/deactivate', [strict.id, reset.id])
    await call('DELETE /policies/{policyId}/rules/{ruleId}', [strict.id, reset.id])
    await call('POST /policies/{policyId}/lifecycle/deactivate', [strict.id])
    await call('DELETE /policies/{policyId}', [strict.id])

    await call('GET /meta/schemas/user/{schemaId}', ['default'])
    await call('GET /authenticators')
    await call('GET /logs', [], undefined, '?limit=1000')
    await call('DELETE /groups/{groupId}', [staff.id])
    await call('DELETE /users/{userId}', [ada.id])
  })

  test('every call of the suite is compared with the document: undescribed ones are reported', async () => {
    const { text } = await apiOf(idp)('GET', `/users/${idp.person.login}`)
    const url = `${idp.engineUrl}/api/v1/users/someone`
    const seen = { method: 'GET', url, sent: undefined, status: 200, text }
    expect(undescribed(seen)).toEqual([])
    const surprising = JSON.stringify({ ...JSON.parse(text), surprise: 1 })
    expect(undescribed({ ...seen, text: surprising })).not.toEqual([])
    expect(undescribed({ ...seen, status: 302 })).toEqual(['302 is not described'])
    expect(undescribed({ ...seen, method: 'POST', sent: { profile: { email: 7 } } })).toContainEqual(
      expect.stringMatching(/^takes \/profile\/email /),
    )
    expect(undescribed({ ...seen, url: `${url}/none/such` })).toEqual([
      'is an operation that is not described',
    ])
  })

  test('returns errors in the described shape', async () => {
    const error = document.components.schemas.Error ?? {}
    for (const answer of [
      await apiOf(idp, null)('GET', '/users'),
      await apiOf(idp)('GET', '/users/nobody'),
      await apiOf(idp)('POST', '/groups', {}),
    ]) {
      expect(answer.status).toBeGreaterThan(399)
      expect(problems(error, JSON.parse(answer.text))).toEqual([])
    }
  })

  // Bodies are validated by functions and described by schemas: both must accept the same.
  test.each([
    ['POST /groups', group],
    ['POST /apps', app],
    ['POST /trustedOrigins', origin],
    ['POST /policies', policy],
    ['POST /users', user],
  ])(
    '%s refuses each member of another type that the document refuses, and takes what it takes',
    async (template, body) => {
      const [method = '', path = ''] = template.split(' ')
      const schema =
        document.paths[`/api/v1${path}`]?.[method.toLowerCase()]?.requestBody?.content['application/json']
          ?.schema ?? {}
      expect(problems(schema, body)).toEqual([])
      for (const place of placesIn(body)) {
        for (const value of [7, 'x'.repeat(2000), true, {}, [1]]) {
          const broken = structuredClone(body)
          put(broken, place, value)
          if (problems(schema, broken).length === 0) continue
          const { status } = await apiOf(idp)(method, path, broken)
          expect(status, `${place.join('.')} = ${JSON.stringify(value).slice(0, 40)}`).toBe(400)
        }
      }
    },
  )
})

/** The paths of all members of objects. */
const placesIn = (value: unknown, at: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? []
    : Object.entries(value).flatMap(([name, child]) => [[...at, name], ...placesIn(child, [...at, name])])

function put(target: object, [name = '', ...rest]: readonly string[], value: unknown): void {
  const fields = target as Record<string, unknown>
  if (rest.length === 0) fields[name] = value
  else put(fields[name] as object, rest, value)
}
