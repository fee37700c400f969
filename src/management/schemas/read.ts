import { isObject, linearPattern } from '../../base/index.ts'
import { attributeTypes, type SchemaAttribute, type UserSchema } from '../../directory/index.ts'
import type { Fields } from '../input.ts'
import { fieldsIn, newReader, type Reader, textIn } from '../reader.ts'

interface SchemaChanges {
  /** Null: the attribute is removed. */
  readonly custom: Readonly<Record<string, SchemaAttribute | null>>
  readonly base: UserSchema['base']
}

const maxAttributes = 200

/** Reads the changes of a schema. Throws 400 with a cause for each invalid member. */
export function readSchemaChanges(body: Fields, before: UserSchema): SchemaChanges {
  const reader = newReader()
  const definitions = fieldsIn(reader, body, 'definitions')
  const propertiesOf = (name: string) =>
    Object.entries(fieldsIn(reader, fieldsIn(reader, definitions, name), 'properties'))
  const custom = propertiesOf('custom').map(([name, value]) => {
    checkName(reader, name, before)
    return [name, value === null ? null : readCustom(reader, name, value, before.custom)] as const
  })
  const base = propertiesOf('base').flatMap(([name, value]) => {
    const attribute = before.base[name]
    if (attribute === undefined || !Object.hasOwn(before.base, name)) {
      reader.problems.push(`${name.slice(0, 64)}: is not a base attribute`)
      return []
    }
    return [[name, readBase(reader, name, value, attribute)] as const]
  })
  if (Object.keys({ ...before.custom, ...Object.fromEntries(custom) }).length > maxAttributes) {
    reader.problems.push(`custom: must have at most ${maxAttributes} attributes`)
  }
  reader.check()
  return { custom: Object.fromEntries(custom), base: Object.fromEntries(base) }
}

/** Checks the name of an attribute. It becomes part of SQL paths, JSON and tokens, so only safe characters are allowed. */
function checkName(reader: Reader, name: string, { base }: UserSchema): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) || name === '__proto__') {
    reader.problems.push(
      `${name.slice(0, 64)}: must have 1 to 64 letters, digits and underscores and not begin with a digit`,
    )
  } else if (Object.hasOwn(base, name)) {
    reader.problems.push(`${name}: is the name of a base attribute`)
  }
}

/** The members of a definition; null ones count as absent. */
const membersOf = (value: unknown): Fields =>
  Object.fromEntries(Object.entries(isObject(value) ? value : {}).filter(([, member]) => member !== null))

function readCustom(
  reader: Reader,
  name: string,
  value: unknown,
  before: UserSchema['custom'],
): SchemaAttribute {
  const fields = membersOf(value)
  const known = Object.hasOwn(before, name) ? before[name] : undefined
  const { type = known?.type } = fields
  if (!attributeTypes.some((one) => one === type)) {
    reader.problems.push(`${name}.type: must be one of ${attributeTypes.join(', ')}`)
  } else if (known !== undefined && known.type !== type) {
    // Stored values would keep the old type.
    reader.problems.push(`${name}.type: cannot be changed; remove the attribute first`)
  }
  checkMembers(reader, name, fields)
  return { ...fields, type: type as SchemaAttribute['type'] }
}

/** Reads a base attribute: requirements and permissions can be changed, its type cannot. */
function readBase(reader: Reader, name: string, value: unknown, before: SchemaAttribute): SchemaAttribute {
  const fields = membersOf(value)
  checkMembers(reader, name, fields)
  if (fields.type !== undefined && fields.type !== before.type) {
    reader.problems.push(`${name}.type: cannot be changed`)
  }
  if ((name === 'login' || name === 'email') && fields.required === false) {
    reader.problems.push(`${name}.required: cannot be optional`)
  }
  return { ...before, ...fields, type: before.type }
}

function checkMembers(reader: Reader, name: string, fields: Fields): void {
  const labelled = (member: string) => ({ label: `${name}.${member}` })
  for (const member of ['title', 'description']) textIn(reader, fields, member, labelled(member))
  if (fields.required !== undefined && typeof fields.required !== 'boolean') {
    reader.problems.push(`${name}.required: must be true or false`)
  }
  for (const member of ['minLength', 'maxLength']) {
    const value = fields[member]
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 10_000)) {
      reader.problems.push(`${name}.${member}: must be a number from 0 to 10000`)
    }
  }
  if (Number(fields.minLength ?? 0) > Number(fields.maxLength ?? 10_000)) {
    reader.problems.push(`${name}.minLength: is greater than maxLength`)
  }
  checkPattern(reader, name, fields)
  checkValues(reader, name, fields)
  checkPermissions(reader, name, fields)
}

function checkPattern(reader: Reader, name: string, fields: Fields): void {
  const pattern = textIn(reader, fields, 'pattern', { label: `${name}.pattern`, max: 200 })
  if (pattern === undefined) return
  if (linearPattern(pattern) !== undefined) return
  const reason = isExpression(pattern)
    ? 'cannot be matched in linear time: lookahead, lookbehind, back references and very large repetitions are not supported (RE2 syntax)'
    : 'is not a valid regular expression'
  reader.problems.push(`${name}.pattern: ${reason}`)
}

function isExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

function checkValues(reader: Reader, name: string, { enum: values, items }: Fields): void {
  const plain = (value: unknown) => typeof value === 'string' || typeof value === 'number'
  if (values !== undefined && values !== null) {
    if (!Array.isArray(values) || values.length === 0 || values.length > 500 || !values.every(plain)) {
      reader.problems.push(`${name}.enum: must be a list of strings or numbers`)
    }
  }
  const inner = isObject(items) ? items.type : undefined
  if (items !== undefined && !['string', 'number', 'integer'].some((one) => one === inner)) {
    reader.problems.push(`${name}.items.type: must be string, number or integer`)
  }
}

function checkPermissions(reader: Reader, name: string, { permissions }: Fields): void {
  if (permissions === undefined || permissions === null) return
  const actions = ['HIDE', 'READ_ONLY', 'READ_WRITE']
  const isPermission = (one: unknown) =>
    isObject(one) && one.principal === 'SELF' && actions.some((action) => action === one.action)
  if (!Array.isArray(permissions) || !permissions.every(isPermission)) {
    reader.problems.push(`${name}.permissions: must be a list of SELF with one of ${actions.join(', ')}`)
  }
}
