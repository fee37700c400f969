import { ProtocolError, parseTime } from '../base/index.ts'
import type { Attribute, Comparison, Filter, Operator, SchemaAttribute } from '../directory/index.ts'
import { invalidCriteria } from './errors.ts'
import { cannotBeCompared, type FilterValue, invalidFilter, isTime, parseFilter } from './filter.ts'

const operators = ['eq', 'ne', 'sw', 'co', 'gt', 'ge', 'lt', 'le', 'pr'] as const
type Named = (typeof operators)[number]

/** What an attribute is compared as: a text, a time, or one of several values. */
type Own = 'text' | 'time' | readonly string[]

/** What can be searched. */
export interface Searchable {
  readonly own: Readonly<Record<string, Own>>
  /** The definition of a member of the profile; undefined: it is compared as what it is stored as. */
  typeOf(name: string): SchemaAttribute | undefined
  /** What `filter` may compare, for it is less than what `search` may. */
  readonly filterable?: readonly string[]
}

/**
 * Parses `search` or `filter` of a list. Values are ordered by the type of the attribute: numbers by value, also in quotes.
 * Throws 400 `E0000031`, with what is wrong.
 */
export function parseCriteria(text: string, searchable: Searchable): Filter {
  try {
    return parseFilter(text, (word, operator, value) => comparisonOf(searchable, word, operator, value))
  } catch (error) {
    // Lists have another error code for invalid filters than the log, as in Okta.
    if (error instanceof ProtocolError && error.code === 'E0000053') throw invalidCriteria(error.description)
    throw error
  }
}

function comparisonOf(
  searchable: Searchable,
  word: string,
  name: string,
  read: () => FilterValue,
): Comparison {
  const attribute = attributeOf(searchable, word)
  const operator = operators.find((known) => known === name)
  if (operator === undefined) {
    const wanted = operators.join(', ')
    throw invalidFilter(
      name === ''
        ? `${word} needs an operator: ${wanted}`
        : `there is no operator ${name.slice(0, 20)}, only ${wanted}`,
    )
  }
  const { filterable } = searchable
  if (filterable !== undefined) checkFilterable(searchable, filterable, attribute, operator, word)
  const type = attribute.of === 'profile' ? searchable.typeOf(attribute.name) : undefined
  const ofItems = type?.type === 'array'
  if (operator === 'pr') return { attribute, operator, value: '', ofItems }
  const value = read()
  if (value === null) return { attribute, operator: nullOperator(operator, word), value: '', ofItems }
  const own = attribute.of === 'own' ? searchable.own[attribute.name] : undefined
  const compared =
    own === undefined
      ? profileValue(type, operator, value, word)
      : ownValue(own, operator, value, attribute.name)
  return { attribute, operator, value: compared, ofItems }
}

function checkFilterable(
  { own }: Searchable,
  filterable: readonly string[],
  { name }: Attribute,
  operator: Named,
  word: string,
): void {
  if (!filterable.includes(name)) {
    throw invalidFilter(`${word} cannot be compared by filter, only by search`)
  }
  if (operator !== 'eq' && own[name] !== 'time') {
    throw invalidFilter(`${word} can only be compared with eq by filter; search has other operators`)
  }
}

function attributeOf({ own }: Searchable, word: string): Attribute {
  const name = Object.keys(own).find((known) => known.toLowerCase() === word.toLowerCase())
  if (name !== undefined) return { of: 'own', name }
  const [, member] = /^profile\.([A-Za-z_][A-Za-z0-9_]{0,63})$/.exec(word) ?? []
  if (member !== undefined) return { of: 'profile', name: member }
  const known = Object.keys(own).join(', ')
  throw invalidFilter(`${cannotBeCompared(word)} ${known} and profile.*`)
}

/** Null is what is absent (RFC 7643, section 2.5). */
function nullOperator(operator: Named, word: string): Operator {
  if (operator === 'eq') return 'absent'
  if (operator === 'ne') return 'pr'
  throw invalidFilter(`${word} can only be compared with null by eq and ne`)
}

function ownValue(own: Own, operator: Named, value: FilterValue, name: string): string | number {
  if (own === 'time') {
    const at = typeof value === 'string' && isTime(value) ? parseTime(value) : undefined
    if (at !== undefined && operator !== 'sw' && operator !== 'co') return at
    throw invalidFilter(
      `${name} is a time: compare it by eq, ne, gt, ge, lt or le with one such as "2026-01-31T12:00:00.000Z"`,
    )
  }
  if (typeof value !== 'string') throw invalidFilter(`the value of ${name} must be a text in double quotes`)
  if (own === 'text') return value
  const upper = value.toUpperCase()
  if (operator === 'eq' && !own.includes(upper)) {
    throw invalidFilter(`there is no ${name} ${value.slice(0, 40)}, only ${own.join(', ')}`)
  }
  return upper
}

type Plain = 'text' | 'number' | 'boolean' | undefined

function plainType(type: SchemaAttribute | undefined): Plain {
  const name = type?.type === 'array' ? (type.items?.type ?? 'string') : type?.type
  if (name === undefined) return undefined
  return name === 'boolean' ? 'boolean' : name === 'number' || name === 'integer' ? 'number' : 'text'
}

const isOrder = (operator: Named): boolean => operator !== 'eq' && operator !== 'ne'

function profileValue(
  attribute: SchemaAttribute | undefined,
  operator: Named,
  value: string | number | boolean | null,
  word: string,
): string | number | boolean {
  const type = plainType(attribute)
  const isText = operator === 'sw' || operator === 'co'
  if (isText && typeof value !== 'string') {
    throw invalidFilter(`${operator} compares texts: put the value of ${word} in double quotes`)
  }
  if (type === 'number' && !isText) return numberOf(value, word)
  if (type === 'boolean') return booleanOf(operator, value, word)
  if (type === 'text' && typeof value !== 'string') {
    throw invalidFilter(`${word} is a text: put its value in double quotes`)
  }
  if (typeof value === 'boolean' && isOrder(operator)) {
    throw invalidFilter(`true and false can only be compared with eq and ne, not ${operator}`)
  }
  return value ?? ''
}

/** A number, also one in quotes: clients that quote all values mean its value. */
function numberOf(value: FilterValue, word: string): number {
  const isNumber = typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value.trim())
  const number = typeof value === 'number' ? value : isNumber ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  throw invalidFilter(`${word} is a number: compare it with one, such as 10`)
}

function booleanOf(operator: Named, value: FilterValue, word: string): boolean {
  const text = String(value).toLowerCase()
  if (!isOrder(operator) && (text === 'true' || text === 'false')) return text === 'true'
  throw invalidFilter(`${word} is true or false: compare it with one of them, by eq or ne`)
}
