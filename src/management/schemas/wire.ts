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
export function schemaOf(base: string, schema: UserSchema): object {
  const id = `${base}${prefix}/meta/schemas/user/default`
  return {
    id,
    $schema: 'http://json-schema.org/draft-04/schema#',
    name: 'user',
    title: 'User',
    description: 'Users of this engine',
    created: isoTime(0),
    lastUpdated: isoTime(schema.updatedAt),
    type: 'object',
    definitions: { base: definition('#base', schema.base), custom: definition('#custom', schema.custom) },
    properties: { profile: { allOf: [{ $ref: '#/definitions/custom' }, { $ref: '#/definitions/base' }] } },
    _links: { self: { href: id } },
  }
}
