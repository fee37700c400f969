import { isObject, linearPattern } from '../../base/index.ts'
import type { SchemaAttribute, UserSchema } from '../../directory/index.ts'
import { invalid } from '../errors.ts'
import { bodyProblems, type Fields } from '../input.ts'
import { withoutNulls } from '../members.ts'
import { attributeDefinition, oneOfTypes, type UserSchemaChanges } from './schema.ts'

interface SchemaChanges {
  /** Null: the attribute is removed. */
  readonly custom: Readonly<Record<string, SchemaAttribute | null>>
  readonly base: UserSchema['base']
}

const maxAttributes = 200

/** The changes of a schema. Throws 400 with a cause for each invalid member. */
export function readSchemaChanges({ definitions }: UserSchemaChanges, before: UserSchema): SchemaChanges {
  const problems: string[] = []
  const custom = Object.entries(definitions?.custom?.properties ?? {}).map(([name, value]) => {
    problems.push(...nameProblems(name, before))
    if (value === null) return [name, null] as const
    const fields = membersOf(value)
    const known = Object.hasOwn(before.custom, name) ? before.custom[name] : undefined
    if (known !== undefined && !isObject(value)) problems.push(`${name}: must be an object`)
    problems.push(...customProblems(name, fields, known))
    return [name, { ...fields, type: (fields.type ?? known?.type) as SchemaAttribute['type'] }] as const
  })
  const base = Object.entries(definitions?.base?.properties ?? {}).flatMap(([name, value]) => {
    const known = Object.hasOwn(before.base, name) ? before.base[name] : undefined
    if (known === undefined) {
      problems.push(`${name.slice(0, 64)}: is not a base attribute`)
      return []
    }
    if (value !== null && !isObject(value)) problems.push(`${name}: must be an object`)
    const fields = membersOf(value)
    problems.push(...baseProblems(name, fields, known))
    return [[name, { ...known, ...fields, type: known.type }] as const]
  })
  if (Object.keys({ ...before.custom, ...Object.fromEntries(custom) }).length > maxAttributes) {
    problems.push(`custom: must have at most ${maxAttributes} attributes`)
  }
  if (problems.length > 0) throw invalid(problems)
  return { custom: Object.fromEntries(custom), base: Object.fromEntries(base) }
}

/** The name of an attribute becomes part of SQL paths, JSON and tokens, so only safe characters are allowed. */
function nameProblems(name: string, { base }: UserSchema): readonly string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) || name === '__proto__') {
    return [
      `${name.slice(0, 64)}: must have 1 to 64 letters, digits and underscores and not begin with a digit`,
    ]
  }
  return Object.hasOwn(base, name) ? [`${name}: is the name of a base attribute`] : []
}

const membersOf = (value: unknown): Fields => (isObject(value) ? withoutNulls(value) : {})

function customProblems(name: string, fields: Fields, known: SchemaAttribute | undefined): readonly string[] {
  const { type = known?.type } = fields
  const ofType =
    type === undefined
      ? [`${name}.type: must be ${oneOfTypes}`]
      : known !== undefined && known.type !== type
        ? // Stored values would keep the old type.
          [`${name}.type: cannot be changed; remove the attribute first`]
        : []
  return [...ofType, ...memberProblems(name, fields)]
}

/** Of a base attribute requirements and permissions can be changed, its type cannot. */
function baseProblems(name: string, fields: Fields, known: SchemaAttribute): readonly string[] {
  const isNeeded = name === 'login' || name === 'email'
  return [
    ...memberProblems(name, fields),
    ...(fields.type !== undefined && fields.type !== known.type ? [`${name}.type: cannot be changed`] : []),
    ...(isNeeded && fields.required === false ? [`${name}.required: cannot be optional`] : []),
  ]
}

function memberProblems(name: string, fields: Fields): readonly string[] {
  const ofShape = bodyProblems(attributeDefinition, fields).map((problem) => `${name}.${problem}`)
  if (ofShape.length > 0) return ofShape
  const { minLength = 0, maxLength = 10_000, pattern } = fields as Partial<SchemaAttribute>
  return [
    ...(minLength > maxLength ? [`${name}.minLength: is greater than maxLength`] : []),
    ...(pattern !== undefined && linearPattern(pattern) === undefined
      ? [`${name}.pattern: ${patternProblem(pattern)}`]
      : []),
  ]
}

const patternProblem = (pattern: string): string =>
  isExpression(pattern)
    ? 'cannot be matched in linear time: lookahead, lookbehind, back references and very large repetitions are not supported (RE2 syntax)'
    : 'is not a valid regular expression'

function isExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}
