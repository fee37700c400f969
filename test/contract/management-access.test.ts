import { afterAll, beforeAll, expect, test } from 'vitest'
import { operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf, tokenOf } from '../support/management.ts'

let idp: Kit
const tokens = new Map<string, string>()

beforeAll(async () => {
  idp = await startEngine()
  for (const role of ['read', 'users', 'all'] as const) tokens.set(role, await tokenOf(idp, role))
})
afterAll(() => idp.close())

const rank = ['read', 'users', 'all']
const address = (path: string) => path.replace(/:\w+/g, 'nothing-has-this-id')

test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s asks for its role and for no less',
  async (_, { method, path, role }) => {
    const ask = async (token: string | null) => {
      const { status, body } = await apiOf(idp, token)(
        method,
        address(path),
        method === 'GET' ? undefined : {},
      )
      return `${status} ${body.errorCode ?? ''}`
    }
    const before = await idp.engine.storage.db.selectFrom('events').select('id').execute()

    expect(await ask(null)).toBe('401 E0000011')
    expect(await ask('00nobodyKnowsThisTokenAtAllNobodyKnowsThisToken')).toBe('401 E0000011')
    for (const weaker of rank.slice(0, rank.indexOf(role))) {
      expect(await ask(tokens.get(weaker) ?? '')).toBe('403 E0000006')
    }
    const after = await idp.engine.storage.db.selectFrom('events').select('id').execute()
    expect(after).toEqual(before)
    expect(await ask(tokens.get(role) ?? '')).not.toMatch(/^(401|403|405|5)/)
  },
)

test('each path and method is there once, and reading asks for no more than read', () => {
  const names = operations.map(({ method, path }) => `${method} ${path}`)
  expect(new Set(names).size).toBe(names.length)
  expect(operations.filter(({ method, role }) => (method === 'GET') !== (role === 'read'))).toEqual([])
})
