import { fastify } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSecrets, systemRandom } from '../../src/base/index.ts'
import {
  createApiToken,
  managementRoutes,
  managementScopes,
  operations,
  revokeApiToken,
  scopeOf,
} from '../../src/management/index.ts'
import type { Schema } from '../../src/storage/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf, tokenOf } from '../support/management.ts'
import { type ServiceApp, serviceApp } from '../wire/service-app.ts'
import { thingsThere } from './things.ts'

let idp: Kit
let robot: ServiceApp
/** Existing resources, so that a request that is authorized by mistake changes something. */
let ids: Readonly<Record<string, string>>
const tokens = new Map<string, string>()
const tokenWith = async (scopes: readonly string[]): Promise<string> => {
  const key = scopes.join(' ')
  const token = tokens.get(key) ?? (await robot.token(key))
  tokens.set(key, token)
  return token
}

beforeAll(async () => {
  idp = await startEngine()
  for (const role of ['read', 'users', 'all'] as const) tokens.set(role, await tokenOf(idp, role))
  tokens.set('revoked', await revokedToken())
  const person = await idp.signInAs(idp.person.login)
  tokens.set('a person’s access token', person.accessToken)
  tokens.set('a person’s ID token', person.idToken ?? '')
  robot = await serviceApp(idp, managementScopes)
  ids = await thingsThere(idp)
})
afterAll(() => idp.close())

async function revokedToken(): Promise<string> {
  const { storage, clock } = idp.engine
  const secrets = createSecrets(['only for tests: everybody knows this secret'])
  const context = { secrets, random: systemRandom, now: clock.now() }
  const { token, apiToken } = await createApiToken(
    storage,
    { name: 'x', role: 'all', createdBy: 'cli' },
    context,
  )
  await revokeApiToken(storage, apiToken.id, { revokedBy: 'cli', ...context })
  return token
}

/** All rows of the database, without the last use of tokens. */
async function everything(): Promise<string> {
  const { db } = idp.engine.storage
  const tables = await db.introspection.getTables()
  const rows = tables.map(async ({ name }) => {
    const all = await db
      .selectFrom(name as keyof Schema)
      .selectAll()
      .execute()
    return [name, all.map((row) => JSON.stringify({ ...row, last_used_at: null })).toSorted()]
  })
  return JSON.stringify(await Promise.all(rows))
}

const pathOf = (path: string, known: Readonly<Record<string, string>>) =>
  path.replace(/:(\w+)/g, (_, name: string) => known[name] ?? 'nothing-has-this-id')
const roles = ['read', 'users', 'all']

test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s is closed to whoever may not, and changes nothing then',
  async (_, operation) => {
    const { method, path, role } = operation
    const ask = async (token: string | null, address = pathOf(path, ids)) => {
      const { status, body } = await apiOf(idp, token)(method, address, method === 'GET' ? undefined : {})
      return `${status} ${body.errorCode ?? ''}`
    }
    const scope = scopeOf(operation)
    const enough = [scope, scope.replace(/read$/, 'manage')]
    // Requested before, as issuing a token records an event.
    const others = await tokenWith(managementScopes.filter((one) => !enough.includes(one)))
    const before = await everything()

    expect(await ask(null)).toBe('401 E0000011')
    expect(await ask('00nobodyKnowsThisTokenAtAllNobodyKnowsThisToken')).toBe('401 E0000011')
    for (const name of ['revoked', 'a person’s access token', 'a person’s ID token']) {
      expect(await ask(tokens.get(name) ?? ''), name).toBe('401 E0000011')
    }
    for (const weaker of roles.slice(0, roles.indexOf(role))) {
      expect(await ask(tokens.get(weaker) ?? ''), weaker).toBe('403 E0000006')
    }
    expect(await ask(others), `all but ${scope}`).toBe('403 E0000006')
    expect(await everything()).toBe(before)
  },
)

test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s is open to its role and to its scope',
  async (_, operation) => {
    const { method, path, role } = operation
    for (const token of [tokens.get(role) ?? '', await tokenWith([scopeOf(operation)])]) {
      const { status } = await apiOf(idp, token)(method, pathOf(path, {}), method === 'GET' ? undefined : {})
      expect(String(status)).not.toMatch(/^(401|403|405|5)/)
    }
  },
)

test('each path and method exists once, and reading requires only the role read', () => {
  const names = operations.map(({ method, path }) => `${method} ${path}`)
  expect(new Set(names).size).toBe(names.length)
  expect(operations.filter(({ method, role }) => (method === 'GET') !== (role === 'read'))).toEqual([])
})

test('each operation requires a scope that can be granted', () => {
  expect(operations.filter((operation) => !managementScopes.includes(scopeOf(operation)))).toEqual([])
})

test('there is no other route below /api/v1', async () => {
  const app = fastify()
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push(`${one} ${url}`)
  })
  await app.register(managementRoutes({ baseUrl: () => 'http://localhost' } as never))
  const below = routes.filter((route) => route.includes(' /api/'))
  expect(below.toSorted()).toEqual(
    operations.map(({ method, path }) => `${method} /api/v1${path}`).toSorted(),
  )
})

test('HEAD reveals nothing about the response of GET', async () => {
  for (const path of ['/users', `/users/${ids.userId}`, '/users/nobody']) {
    const response = await fetch(`${idp.engineUrl}/api/v1${path}`, { method: 'HEAD' })
    expect([401, 405]).toContain(response.status)
  }
})
