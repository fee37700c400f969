import { type Static, Type } from 'typebox'
import { attributeTypes } from '../../directory/index.ts'
import { anything, either, links, named, optional, textOrNull, time } from '../schema.ts'

const length = optional(Type.Integer({ minimum: 0, maximum: 10_000 }))
const text = (maxLength: number) => optional(Type.String({ maxLength }))
export const oneOfTypes = `one of ${attributeTypes.join(', ')}`
const actions = ['HIDE', 'READ_ONLY', 'READ_WRITE']

/** The definition of an attribute. Other members are stored as they are. */
export const attributeDefinition = named('UserAttribute', {
  type: optional(Type.Enum([...attributeTypes], { hint: oneOfTypes })),
  title: text(1024),
  description: text(1024),
  required: optional(Type.Boolean()),
  minLength: length,
  maxLength: length,
  pattern: text(200),
  enum: optional(
    Type.Array(Type.Union([Type.String(), Type.Number()]), {
      minItems: 1,
      maxItems: 500,
      hint: 'a list of strings or numbers',
    }),
  ),
  items: optional(Type.Object({ type: either('string', 'number', 'integer') })),
  permissions: optional(
    Type.Array(Type.Object({ principal: either('SELF'), action: either(...actions) }), {
      hint: `a list of SELF with one of ${actions.join(', ')}`,
    }),
  ),
})

/** By name. Each is read by `attributeDefinition`, so that messages begin with the name of the attribute. */
const attributes = optional(
  Type.Object({
    properties: optional(
      Type.Record(Type.String(), Type.Unknown(), {
        documented: {
          type: 'object',
          additionalProperties: { anyOf: [attributeDefinition, { type: 'null' }] },
        },
      }),
    ),
  }),
)

export const userSchemaChanges = named('UserSchemaChanges', {
  definitions: optional(Type.Object({ custom: attributes, base: attributes })),
})
export type UserSchemaChanges = Static<typeof userSchemaChanges>

export const userSchema = named('UserSchema', {
  id: Type.String(),
  name: Type.String(),
  definitions: Type.Object({ base: anything, custom: anything }),
  properties: anything,
  _links: links,
})

export const userType = named('UserType', {
  id: Type.String(),
  name: Type.String(),
  displayName: Type.String(),
  description: textOrNull,
  default: Type.Boolean(),
  created: time,
  lastUpdated: time,
  _links: links,
})
