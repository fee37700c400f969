import { ProtocolError, parseTime } from '../../base/index.ts'
import { type Attribute, type Comparison, type PeopleFilter, personStatuses } from '../../directory/index.ts'
import { invalidCriteria } from '../errors.ts'
import { invalidFilter, parseFilter } from '../filter.ts'

const operators = ['eq', 'ne', 'sw', 'co', 'gt', 'ge', 'lt', 'le', 'pr'] as const
type Operator = (typeof operators)[number]

const own = ['id', 'status', 'created', 'lastUpdated', 'statusChanged'] as const
const times: readonly string[] = ['created', 'lastUpdated', 'statusChanged']

/** Reads `search`: any attribute of a profile, the status, the id and the times. Throws 400 `E0000031`. */
export const parseSearch = (text: string): PeopleFilter => read(text, compare)

/** Of people the field tells that a filter is wrong by another code than of events. */
function read(text: string, make: typeof compare): PeopleFilter {
  try {
    return parseFilter(text, make)
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'E0000053') throw invalidCriteria(error.description)
    throw error
  }
}

const filtered = ['id', 'status', 'lastUpdated', 'login', 'email', 'firstName', 'lastName']

/** Reads `filter`, which knows fewer attributes, and of operators `eq` and, for times, the orderings. */
export const parseUserFilter = (text: string): PeopleFilter =>
  read(text, (word, operator, value) => {
    const comparison = compare(word, operator, value)
    const { name } = comparison.attribute
    if (!filtered.includes(name)) throw invalidFilter(`it may not compare ${word}`)
    if (operator !== 'eq' && !times.includes(name)) throw invalidFilter(`${name} takes eq alone`)
    return comparison
  })

function compare(word: string, name: string, read: () => string | boolean): Comparison {
  const attribute = attributeOf(word)
  const operator = operators.find((known) => known === name)
  if (operator === undefined) throw invalidFilter(`there is no operator ${name.slice(0, 20)}`)
  if (operator === 'pr') return { attribute, operator, value: '' }
  return { attribute, operator, value: valueFor(attribute, operator, read()) }
}

function attributeOf(word: string): Attribute {
  const name = own.find((known) => known.toLowerCase() === word.toLowerCase())
  if (name !== undefined) return { of: 'person', name }
  const [, member] = /^profile\.([A-Za-z_][A-Za-z0-9_]{0,63})$/.exec(word) ?? []
  if (member === undefined) throw invalidFilter(`it may compare ${own.join(', ')} and profile.*`)
  return { of: 'profile', name: member }
}

function valueFor(
  attribute: Attribute,
  operator: Operator,
  value: string | boolean,
): string | number | boolean {
  if (attribute.of === 'profile') {
    if (typeof value === 'boolean' && operator !== 'eq' && operator !== 'ne') {
      throw invalidFilter('true and false take eq and ne')
    }
    return value
  }
  if (typeof value === 'boolean') throw invalidFilter(`${attribute.name} is not true or false`)
  if (times.includes(attribute.name)) {
    const at = parseTime(value)
    if (at === undefined || operator === 'sw' || operator === 'co') {
      throw invalidFilter(`${attribute.name} is a time such as "2026-01-31T12:00:00.000Z"`)
    }
    return at
  }
  const status = value.toUpperCase()
  if (attribute.name === 'status' && operator === 'eq' && !personStatuses.some((known) => known === status)) {
    throw invalidFilter(`there is no status ${value.slice(0, 40)}`)
  }
  return attribute.name === 'status' ? status : value
}
