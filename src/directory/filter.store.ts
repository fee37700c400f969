import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { Schema, Storage } from '../storage/index.ts'

/** What a comparison reads: an attribute with a column of its own, or a member of the profile. */
export interface Attribute {
  readonly of: 'own' | 'profile'
  readonly name: string
}

export type Operator = 'eq' | 'ne' | 'sw' | 'co' | 'gt' | 'ge' | 'lt' | 'le' | 'pr' | 'absent'

export interface Comparison {
  readonly attribute: Attribute
  readonly operator: Operator
  /**
   * Compared with a member of a profile: numbers by value with members that are numbers, booleans with those that are
   * booleans, texts with the text of any; the order of a text that is a number with members that are numbers is by value. Times are epoch milliseconds.
   */
  readonly value: string | number | boolean
  /** The member is a list: it matches if one of its items does (RFC 7644, section 3.4.2.2). */
  readonly ofItems?: boolean
}

export type Filter = Comparison | { readonly every: readonly Filter[] } | { readonly some: readonly Filter[] }

/** What can be compared in a table. */
export interface Searched {
  /** The columns of its own attributes. */
  readonly own: Readonly<Record<string, string>>
  /** All values of an attribute that has few. */
  readonly values?: Readonly<Record<string, readonly string[]>>
  /** Members of the profile with a column of their own, in the form in which they are compared. */
  readonly keys: Readonly<Record<string, { readonly column: string; readonly key: (text: string) => string }>>
  readonly profile: string
}

type Kind = Storage['kind']

export function filterCondition<Table extends keyof Schema>(
  where: ExpressionBuilder<Schema, Table>,
  kind: Kind,
  searched: Searched,
  filter: Filter,
): Expression<SqlBool> {
  const below = (parts: readonly Filter[]) =>
    parts.map((part) => filterCondition(where, kind, searched, part))
  if ('every' in filter) return where.and(below(filter.every))
  if ('some' in filter) return where.or(below(filter.some))
  return comparison(kind, searched, filter)
}

const never = sql<SqlBool>`1 = 0`

/** What is absent matches nothing but `absent`, whatever it is compared with. */
function comparison(kind: Kind, searched: Searched, compared: Comparison): Expression<SqlBool> {
  const { attribute, operator, value } = compared
  if (attribute.of === 'own') {
    const column = searched.own[attribute.name]
    if (column === undefined || operator === 'absent') return never
    const values = searched.values?.[attribute.name]
    // PostgreSQL chooses by its statistics between ranges of the index and the order of ids; SQLite has none, and would sort
    // nearly all users for the usual `status ne "DEPROVISIONED"`.
    if (values !== undefined && operator === 'ne' && kind === 'postgres') {
      return sql<SqlBool>`${sql.ref(column)} in (${sql.join(values.filter((one) => one !== value))})`
    }
    return comparedWith(kind, sql.ref(column), operator, value)
  }
  const known = Object.hasOwn(searched.keys, attribute.name) ? searched.keys[attribute.name] : undefined
  if (known !== undefined) {
    const left = sql.ref<string>(known.column)
    if (operator === 'absent') return sql<SqlBool>`${left} = ''`
    const present = sql<SqlBool>`${left} <> ''`
    if (operator === 'pr') return present
    return sql<SqlBool>`(${comparedWith(kind, left, operator, known.key(String(value)))} and ${present})`
  }
  if (compared.ofItems) return comparisonOfItems(kind, searched, compared)
  return comparisonOf(kind, memberOf(kind, searched, attribute.name), compared)
}

/** A value in JSON: its type, and as a text, a number or a boolean; the latter two are null for values of another type. */
interface JsonValue {
  readonly text: Expression<string>
  readonly number: Expression<number>
  /** `true`, `false`, or something else. */
  readonly boolean: Expression<string>
}

// Names were checked to be letters, digits and underscores; they are values here all the same.
const pathOf = (name: string): string => `$."${name}"`

function memberOf(kind: Kind, { profile }: Searched, name: string): JsonValue {
  const document = sql.ref(profile)
  if (kind === 'postgres') return postgresValue(sql`${document}::json -> ${name}`)
  const path = pathOf(name)
  return sqliteValue(sql`json_type(${document}, ${path})`, sql`json_extract(${document}, ${path})`)
}

const postgresValue = (json: Expression<unknown>): JsonValue => ({
  text: sql<string>`((${json}) #>> '{}')`,
  number: sql<number>`case when json_typeof(${json}) = 'number' then ((${json}) #>> '{}')::double precision end`,
  boolean: sql<string>`cast(${json} as text)`,
})

const sqliteValue = (type: Expression<unknown>, value: Expression<unknown>): JsonValue => ({
  // SQLite returns true as 1.
  text: sql<string>`case ${type} when 'true' then 'true' when 'false' then 'false' else ${value} end`,
  number: sql<number>`case when ${type} in ('integer', 'real') then ${value} end`,
  boolean: sql<string>`${type}`,
})

function comparisonOf(
  kind: Kind,
  { text, number, boolean }: JsonValue,
  { operator, value }: Comparison,
): Expression<SqlBool> {
  if (operator === 'absent') return sql<SqlBool>`coalesce(cast(${text} as text), '') = ''`
  if (operator === 'pr') return sql<SqlBool>`(${text} is not null and cast(${text} as text) <> '')`
  if (typeof value === 'boolean') {
    // The type counts, so that true is neither 1 nor the word.
    const isIt = sql<SqlBool>`${boolean} ${sql.raw(operator === 'ne' ? '<>' : '=')} ${String(value)}`
    return sql<SqlBool>`(${isIt} and ${boolean} <> 'null')`
  }
  if (typeof value === 'number' && operator !== 'sw' && operator !== 'co') {
    // PostgreSQL would take the parameter for the type that it has first.
    const right = kind === 'postgres' ? sql`${value}::double precision` : sql`${value}`
    return sql<SqlBool>`${number} ${sql.raw(signs[operator])} ${right}`
  }
  // Letters of ASCII alone: the databases agree on no others, and PostgreSQL only with this collation.
  const lowered =
    kind === 'sqlite' ? sql<string>`lower(cast(${text} as text))` : sql<string>`lower(${text} collate "C")`
  const asText = comparedWith(kind, lowered, operator, asciiLower(String(value)))
  const asNumber = plainNumber.test(String(value)) ? Number(value) : Number.NaN
  if (!isOrder(operator) || !Number.isFinite(asNumber)) return asText
  // Groups have no schema that says what is a number: what is stored decides.
  const right = kind === 'postgres' ? sql`${asNumber}::double precision` : sql`${asNumber}`
  return sql<SqlBool>`case when ${number} is null then ${asText} else ${number} ${sql.raw(signs[operator])} ${right} end`
}

const plainNumber = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

const isOrder = (operator: Operator): operator is 'gt' | 'ge' | 'lt' | 'le' =>
  operator === 'gt' || operator === 'ge' || operator === 'lt' || operator === 'le'

function comparisonOfItems(kind: Kind, { profile }: Searched, compared: Comparison): Expression<SqlBool> {
  const { attribute, operator } = compared
  const document = sql.ref(profile)
  const list = sql`${document}::json -> ${attribute.name}`
  const items =
    kind === 'sqlite'
      ? sql`json_each(${document}, ${pathOf(attribute.name)}) as item`
      : sql`json_array_elements(case when json_typeof(${list}) = 'array' then ${list} end) as item`
  const item =
    kind === 'sqlite' ? sqliteValue(sql`item.type`, sql`item.atom`) : postgresValue(sql`item.value`)
  if (operator === 'pr') return sql<SqlBool>`exists (select 1 from ${items})`
  if (operator === 'absent') return sql<SqlBool>`not exists (select 1 from ${items})`
  return sql<SqlBool>`exists (select 1 from ${items} where ${comparisonOf(kind, item, compared)})`
}

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const signs = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const

function comparedWith(
  kind: Kind,
  left: Expression<unknown>,
  operator: Exclude<Operator, 'absent'>,
  value: string | number | boolean,
): Expression<SqlBool> {
  if (operator === 'pr') return sql<SqlBool>`${left} is not null`
  if (operator === 'sw') return beginsWith(kind, left, String(value))
  if (operator === 'co') {
    const position = sql.raw(kind === 'sqlite' ? 'instr' : 'strpos')
    return sql<SqlBool>`${position}(${left}, ${String(value)}) > 0`
  }
  const side = isOrder(operator) && typeof value === 'string' ? byBytes(kind, left) : left
  const made = sql<SqlBool>`${side} ${sql.raw(signs[operator])} ${value}`
  // A query by time asks for the latest: without the hint SQLite would scan all users in the order of ids.
  return isOrder(operator) && typeof value === 'number' && kind === 'sqlite'
    ? sql`likelihood(${made}, 0.01)`
    : made
}

/** Texts in the order of their bytes, the default of SQLite, and PostgreSQL's with this collation. */
const byBytes = (kind: Kind, left: Expression<unknown>): Expression<unknown> =>
  kind === 'postgres' ? sql`${left} collate "C"` : left

/** Served by an index on both: one takes a range for it, the other a pattern on what is ordered by its bytes. */
export function beginsWith(kind: Kind, left: Expression<unknown>, prefix: string): Expression<SqlBool> {
  if (kind === 'postgres') return like(byBytes(kind, left), `${escaped(prefix)}%`)
  return sql<SqlBool>`(${left} >= ${prefix} and ${left} < ${`${prefix}\u{10ffff}`})`
}

const like = (left: Expression<unknown>, pattern: string): Expression<SqlBool> =>
  sql<SqlBool>`${left} like ${pattern} escape '\\'`

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
