import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sdk } from '../../../test/support/sdk.ts'
import { type Kit, startEngine } from '../../testing/index.ts'

interface Document {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

let idp: Kit
let document: Document

beforeAll(async () => {
  idp = await startEngine()
  document = (await (await fetch(`${idp.controlUrl}/openapi.json`)).json()) as Document
})
afterAll(() => idp.close())

test('the document is served where the API is', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(document.servers).toEqual([{ url: idp.controlUrl }])
})

test('all routes are documented, and no others', () => {
  const source = readFileSync(new URL('./routes.ts', import.meta.url), 'utf8')
  const served = [...source.matchAll(/app\.(get|post|patch|put|delete)\('([^']+)'/g)].map(
    ([, method = '', path = '']) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
  )
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  )
  expect(described.toSorted()).toEqual(served.toSorted())
})

describe('answers are as described', () => {
  test.each([
    ['post', '/people', { login: 'ada@example.com', locale: 'de' }],
    ['post', '/sign-in', { login: 'mary@example.com' }],
    ['get', '/messages', undefined],
    ['get', '/clock', undefined],
    ['post', '/clock', { advance: '5m' }],
    ['post', '/faults', { path: '/idp/idx/identify', status: 500 }],
    ['get', '/events', undefined],
    ['get', '/transactions', undefined],
    ['delete', '/messages', undefined],
    ['post', '/reset', undefined],
  ])('%s %s', async (method, path, body) => {
    const response = await fetch(idp.controlUrl + path, {
      method: method.toUpperCase(),
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const operation = document.paths[path]?.[method]
    const answer = operation?.responses[response.status]?.content['application/json']?.schema
    expect(answer, `${response.status}`).toBeDefined()
    expect([...Value.Errors(answer ?? {}, await response.json())]).toEqual([])
    const asked = operation?.requestBody?.content['application/json']?.schema
    if (body) expect([...Value.Errors(asked ?? {}, body)]).toEqual([])
  })

  test('GET /messages/{id}, of a mail that came', async () => {
    await idp.reset()
    await sdk(idp).idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
    const { id } = await idp.outbox.waitFor()
    const mail = (await (await fetch(`${idp.controlUrl}/messages/${id}`)).json()) as object

    const schema =
      document.paths['/messages/{id}']?.get?.responses['200']?.content['application/json']?.schema
    expect([...Value.Errors(schema ?? {}, mail)]).toEqual([])
    expect([...Value.Errors(schema ?? {}, { ...mail, code: 6 })]).not.toEqual([])
  })
})
