import { isoTime } from '../../base/index.ts'
import type { SchemaAttribute, UserSchema } from '../../directory/index.ts'
import { prefix } from '../operation.ts'

/** An attribute with the defaults that Okta shows. `required` is also in the list of the definition. */
const attributeOf = (attribute: SchemaAttribute): object => ({
  required: false,
  scope: 'NONE',
  permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
  master: { type: 'PROFILE_MASTER' },
  ...attribute,
})

const definition = (id: string, attributes: UserSchema['base']): object => ({
  id,
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, attributeOf(attribute)]),
  ),
  required: Object.entries(attributes).flatMap(([name, { required }]) => (required === true ? [name] : [])),
})

/** The schema in the shape of Okta's Schemas API. */
export function renderSchema(base: string, schema: UserSchema, installed: number): object {
  const id = `${base}${prefix}/meta/schemas/user/default`
  return {
    id,
    $schema: 'http://json-schema.org/draft-04/schema#',
    name: 'user',
    title: 'User',
    description: 'Users of this engine',
    created: isoTime(installed),
    // 0: never changed.
    lastUpdated: isoTime(Math.max(schema.updatedAt, installed)),
    type: 'object',
    definitions: { base: definition('#base', schema.base), custom: definition('#custom', schema.custom) },
    properties: { profile: { allOf: [{ $ref: '#/definitions/custom' }, { $ref: '#/definitions/base' }] } },
    _links: { self: { href: id } },
  }
}

export const typeId = 'otyDefault'

/** The only user type, with a link to its schema. */
export function renderType(address: string, installed: number): object {
  const base = `${address}${prefix}/meta`
  return {
    id: typeId,
    name: 'user',
    displayName: 'User',
    description: 'The only user type',
    default: true,
    created: isoTime(installed),
    lastUpdated: isoTime(installed),
    createdBy: 'system',
    lastUpdatedBy: 'system',
    _links: {
      self: { href: `${base}/types/user/${typeId}` },
      schema: { href: `${base}/schemas/user/default` },
    },
  }
}
