import { ProtocolError, parseTime } from '../../base/index.ts'
import {
  type Attribute,
  type Comparison,
  isSearchable,
  type PeopleFilter,
  personStatuses,
  scansOf,
} from '../../directory/index.ts'
import type { Storage } from '../../storage/index.ts'
import { invalidCriteria } from '../errors.ts'
import { invalidFilter, parseFilter } from '../filter.ts'

const operators = ['eq', 'ne', 'sw', 'co', 'gt', 'ge', 'lt', 'le', 'pr'] as const
type Operator = (typeof operators)[number]

const attributes = ['id', 'status', 'created', 'lastUpdated', 'statusChanged'] as const
const times: readonly string[] = ['created', 'lastUpdated', 'statusChanged']

/** Parses `search`, which compares id, status, times and any profile attribute. Throws 400 `E0000031`. */
export const parseSearch = (text: string): PeopleFilter => read(text, compare)

/**
 * Refuses a search that would read more than `most` users one by one, with the reason: at a million users it would take
 * longer than a statement may. Throws 400 `E0000031`.
 */
export async function refuseUnbounded(storage: Storage, filter: PeopleFilter, most: number): Promise<void> {
  if (await isSearchable(storage, filter, most)) return
  const scans = scansOf(filter).map(({ attribute: { of, name }, operator }) => {
    return `${of === 'profile' ? 'profile.' : ''}${name} ${operator}`
  })
  const many = most.toLocaleString('en')
  throw invalidCriteria(
    `no index answers ${[...new Set(scans)].slice(0, 10).join(', ')}, and more than ${many} users would have to be read: add, with and, a comparison that leaves at most ${many}. There are indexes for id, status (eq, ne), created, lastUpdated, and profile.login, profile.email, profile.firstName and profile.lastName with eq, sw, gt, ge, lt and le`,
  )
}

/** Users have another error code for invalid filters than events, as in Okta. */
function read(text: string, make: typeof compare): PeopleFilter {
  try {
    return parseFilter(text, make)
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'E0000053') throw invalidCriteria(error.description)
    throw error
  }
}

const filterAttributes = ['id', 'status', 'lastUpdated', 'login', 'email', 'firstName', 'lastName']

/** Parses `filter`, which compares fewer attributes, by `eq` and, for times, by order. Throws 400 `E0000031`. */
export const parseUserFilter = (text: string): PeopleFilter =>
  read(text, (word, operator, value) => {
    const comparison = compare(word, operator, value)
    const { name } = comparison.attribute
    if (!filterAttributes.includes(name)) throw invalidFilter(`${word} cannot be compared`)
    if (operator !== 'eq' && !times.includes(name))
      throw invalidFilter(`${name} can only be compared with eq`)
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
  const name = attributes.find((known) => known.toLowerCase() === word.toLowerCase())
  if (name !== undefined) return { of: 'person', name }
  const [, member] = /^profile\.([A-Za-z_][A-Za-z0-9_]{0,63})$/.exec(word) ?? []
  if (member === undefined) throw invalidFilter(`only ${attributes.join(', ')} and profile.* can be compared`)
  return { of: 'profile', name: member }
}

function valueFor(
  attribute: Attribute,
  operator: Operator,
  value: string | boolean,
): string | number | boolean {
  if (attribute.of === 'profile') {
    if (typeof value === 'boolean' && operator !== 'eq' && operator !== 'ne') {
      throw invalidFilter('true and false can only be compared with eq and ne')
    }
    return value
  }
  if (typeof value === 'boolean') throw invalidFilter(`${attribute.name} is not a boolean`)
  if (times.includes(attribute.name)) {
    const at = parseTime(value)
    if (at === undefined || operator === 'sw' || operator === 'co') {
      throw invalidFilter(`${attribute.name} must be a time such as "2026-01-31T12:00:00.000Z"`)
    }
    return at
  }
  const status = value.toUpperCase()
  if (attribute.name === 'status' && operator === 'eq' && !personStatuses.some((known) => known === status)) {
    throw invalidFilter(`there is no status ${value.slice(0, 40)}`)
  }
  return attribute.name === 'status' ? status : value
}
