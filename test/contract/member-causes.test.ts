import type { TSchema } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { operations } from '../../src/management/index.ts'
import { labelOf } from '../../src/management/input.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { thingsThere } from './things.ts'

// Each member of each body, with a value of each type that it cannot have: the answer is 400, and a cause names the member
// and says what it must be. The bodies are those that the operations describe, so a new member is covered by being there.

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: object
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
}

const solid = (schema: Schema): Schema => {
  const choices = schema.anyOf?.filter(({ type }) => type !== 'null') ?? []
  return choices.length === 1 ? (choices[0] as Schema) : schema
}

/** The members of a body, at any depth: the path, and what stands there. */
function* membersOf(
  schema: Schema,
  path: readonly string[] = [],
): Iterable<readonly [readonly string[], Schema]> {
  for (const [name, member] of Object.entries(solid(schema).properties ?? {})) {
    yield [[...path, name], solid(member)]
    yield* membersOf(member, [...path, name])
  }
}

const wrong = { text: 'x'.repeat(5000), number: -1.5, flag: true, list: [[7]], object: { x: { y: 7 } } }

function wrongFor({ type, enum: choices, items }: Schema): readonly unknown[] {
  const { text, number, flag, list, object } = wrong
  if (choices) return [text, number, flag, list, object]
  if (type === 'string') return [number, flag, list, object]
  if (type === 'integer' || type === 'number') return [text, number, flag, list, object]
  if (type === 'boolean') return [text, number, list, object]
  // A list of anything takes any list.
  if (type === 'array') return [text, number, flag, object, ...(items?.type || items?.enum ? [list] : [])]
  return type === 'object' ? [text, number, flag, list] : []
}

const nested = ([name = '', ...rest]: readonly string[], value: unknown): object => ({
  [name]: rest.length === 0 ? value : nested(rest, value),
})

const described = operations.filter(
  ({ path, body }) =>
    body !== undefined &&
    /^\/(apps|internal|authenticators|trustedOrigins|policies\/:policyId\/mappings)/.test(path),
)

let idp: Kit
let api: Api
let known: Readonly<Record<string, string>>
beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
  known = await thingsThere(idp)
})
afterAll(() => idp.close())

test.each(described.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s names each member that is wrong, and why',
  async (_, { method, path, body }) => {
    const address = path.replace(/:(\w+)/g, (_, name: string) => known[name] ?? 'none')
    let tried = 0
    for (const [place, schema] of membersOf(body as TSchema & Schema)) {
      for (const value of wrongFor(schema)) {
        const { status, body: answer, text } = await api(method, address, nested(place, value))
        const what = `${place.join('.')} = ${JSON.stringify(value).slice(0, 30)}: ${text}`
        expect([status, answer.errorCode], what).toEqual([400, 'E0000001'])
        const causes = (answer.errorCauses as readonly { readonly errorSummary: string }[]).map(
          (cause) => cause.errorSummary,
        )
        const own = causes.filter((cause) => cause.startsWith(`${labelOf(place)}`))
        expect(own.length, what).toBeGreaterThan(0)
        expect(own.join(' '), what).toMatch(/^[\w.]+: .*(must (be|have|not)|cannot be|is not)/)
        tried += 1
      }
    }
    expect(tried).toBeGreaterThan(0)
  },
)

test('several members that are wrong are named in one answer, by the schema or beyond it', async () => {
  const { body } = await api('POST', '/apps', {
    label: ' ',
    signOnMode: 'SAML_2_0',
    visibility: { hide: { web: 'no' } },
    credentials: { oauthClient: { client_id: 'x', token_endpoint_auth_method: 'private_key_jwt' } },
    settings: {
      oauthClient: {
        redirect_uris: ['javascript:alert(1)'],
        grant_types: ['implicit', 'implict'],
        consent_method: 'ASK',
        client_uri: 'shop.example.com',
        refresh_token: { rotation_type: 'NEVER', leeway: 61 },
      },
    },
  })
  const causes = (body.errorCauses as readonly { readonly errorSummary: string }[]).map(
    (one) => one.errorSummary,
  )
  expect(causes.toSorted()).toEqual([
    'client_id: must be 6 to 100 letters, digits, - and _',
    'client_uri: must be an http or https address',
    'consent_method: must be TRUSTED or REQUIRED',
    expect.stringMatching(/^grant_types: .*implicit/),
    'label: The field cannot be left blank',
    'redirect_uris: javascript:alert(1) is not a valid redirect URI',
    'refresh_token.leeway: must be a whole number from 0 to 60',
    'refresh_token.rotation_type: must be ROTATE or STATIC',
    'signOnMode: must be OPENID_CONNECT',
    'token_endpoint_auth_method: must be client_secret_basic or client_secret_post for this application_type',
    'visibility.hide.web: must be true or false',
  ])
})
