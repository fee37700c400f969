import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../base/index.ts'
import { bodyProblems, readQuery } from './input.ts'
import { criteria, either, filled, optional, page, texts } from './schema.ts'

const schema = Type.Object({
  profile: Type.Object({ name: filled(20), kind: optional(either('SMALL', 'LARGE')) }),
  credentials: optional(
    Type.Object({ password: optional(Type.Object({ value: Type.String({ minLength: 1, maxLength: 5 }) })) }),
  ),
  settings: optional(
    Type.Object({ oauthClient: optional(Type.Object({ redirect_uris: Type.Optional(texts) })) }),
  ),
  scopes: Type.Optional(
    Type.Array(Type.Object({ type: either('CORS') }), { minItems: 1, hint: 'a non-empty list of CORS' }),
  ),
  rules: Type.Optional(Type.Array(Type.Object({ count: Type.Integer({ minimum: 0, maximum: 9 }) }))),
})

describe('a body that its schema refuses is answered with each member and what it must be', () => {
  const profile = { name: 'x' }
  test.each<[unknown, readonly string[]]>([
    [{ profile }, []],
    [{ profile, surplus: 1 }, []],
    [[], ['body: must be an object']],
    ['text', ['body: must be an object']],
    [{}, ['profile: The field cannot be left blank']],
    [{ profile: {} }, ['name: The field cannot be left blank']],
    [{ profile: { name: ' \n' } }, ['name: The field cannot be left blank']],
    [{ profile: { name: 7 } }, ['name: must be a string of at most 20 characters']],
    [{ profile: { name: 'x'.repeat(21) } }, ['name: must be a string of at most 20 characters']],
    [{ profile: { name: 'x', kind: null }, credentials: null }, []],
    [{ profile: { name: 'x', kind: 'SMAL' } }, ['kind: must be SMALL or LARGE; did you mean SMALL?']],
    [
      { profile, credentials: { password: { value: 'too long' } } },
      ['password: must be a string of at most 5 characters'],
    ],
    [{ profile, credentials: { password: 7 } }, ['password: must be an object']],
    [
      { profile, settings: { oauthClient: { redirect_uris: [7, 'x'] } } },
      ['redirect_uris: must be a list of strings with at most 200 items'],
    ],
    [{ profile, scopes: [] }, ['scopes: must be a non-empty list of CORS']],
    [{ profile, scopes: [{ type: 'X' }] }, ['scopes: must be a non-empty list of CORS']],
    [
      { profile, rules: [{ count: 1 }, { count: 10 }] },
      ['rules.1.count: must be a whole number from 0 to 9'],
    ],
    [
      { profile: { kind: 1 }, rules: 1 },
      ['name: The field cannot be left blank', 'kind: must be SMALL or LARGE', 'rules: must be a list'],
    ],
  ])('%j', (body, problems) => {
    expect(bodyProblems(schema, body).toSorted()).toEqual(problems.toSorted())
  })
})

describe('query parameters have the types and defaults that are described', () => {
  const parameters = {
    ...page,
    q: criteria('Words.'),
    sendEmail: Type.Boolean({ default: true }),
    type: either('A', 'B'),
  }
  const causes = (query: Readonly<Record<string, unknown>>): readonly string[] => {
    try {
      readQuery(parameters, query)
      return []
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return [error.code, ...error.causes]
    }
  }

  test('absent ones have their default', () => {
    expect(readQuery(parameters, { type: 'A', other: 'x' })).toEqual({ sendEmail: true, type: 'A' })
    expect(readQuery(parameters, { type: 'A', sendEmail: 'FALSE', limit: '7' })).toEqual({
      sendEmail: false,
      type: 'A',
      limit: 7,
    })
  })

  test.each<[Readonly<Record<string, unknown>>, readonly string[]]>([
    [{}, ['E0000001', 'type: must be A or B']],
    [
      { type: 'C', limit: '0' },
      ['E0000001', 'limit: must be a whole number of at least 1', 'type: must be A or B'],
    ],
    [{ type: 'A', sendEmail: 'yes' }, ['E0000001', 'sendEmail: must be true or false']],
    [{ type: ['A', 'A'] }, ['E0000001', 'type: must be given once']],
    [{ type: 'A', q: '' }, ['E0000031', 'q is empty']],
    [{ type: 'A', after: '\0' }, ['E0000001', 'after: contains a character that is not allowed']],
  ])('%j', (query, expected) => {
    expect(causes(query)).toEqual(expected)
  })
})
