import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Db, Schema, Storage } from '../storage/index.ts'
import { compareKey } from './identifier.ts'
import { nameKey, toPerson } from './people.store.ts'
import { type Person, type PersonStatus, personStatuses } from './person.ts'

/** What a search may look at: a column of its own, or any member of the profile. */
export type Attribute =
  | { readonly of: 'person'; readonly name: 'id' | 'status' | 'created' | 'lastUpdated' | 'statusChanged' }
  | { readonly of: 'profile'; readonly name: string }

export type Operator = 'eq' | 'ne' | 'sw' | 'co' | 'gt' | 'ge' | 'lt' | 'le' | 'pr'

export interface Comparison {
  readonly attribute: Attribute
  readonly operator: Operator
  /** Times as epoch milliseconds. */
  readonly value: string | number | boolean
}

export type PeopleFilter =
  | Comparison
  | { readonly every: readonly PeopleFilter[] }
  | { readonly some: readonly PeopleFilter[] }

export interface PeopleQuery {
  readonly filter?: PeopleFilter | undefined
  /** The beginning of a first name, last name or email. */
  readonly startsWith?: string | undefined
  readonly except?: PersonStatus | undefined
  readonly inGroup?: string | undefined
  readonly limit: number
  /** The id of the last user of the page before. */
  readonly after?: string | undefined
}

type Where = ExpressionBuilder<Schema, 'people'>
type Kind = Storage['kind']

/**
 * What a comparison costs: `range` is answered by a range of an index; `all` matches nearly every user, so that a page is
 * full soon; `scan` has to read and compare each user.
 */
function costOf({ attribute, operator }: Comparison): 'range' | 'all' | 'scan' {
  const { name } = attribute
  const isUnique = ['id', 'login', 'email'].includes(name)
  // A status has eight values: `ne` is one of the others.
  if (attribute.of === 'person' && name === 'status') {
    return operator === 'pr' ? 'all' : ['eq', 'ne'].includes(operator) ? 'range' : 'scan'
  }
  if (operator === 'pr') return attribute.of === 'person' || isUnique ? 'all' : 'scan'
  if (operator === 'ne') return isUnique ? 'all' : 'scan'
  if (operator === 'co') return 'scan'
  const isIndexed = attribute.of === 'person' ? name !== 'statusChanged' : Object.hasOwn(keyColumns, name)
  return isIndexed ? 'range' : 'scan'
}

/** The comparisons of a filter that no index answers. */
export function scansOf(filter: PeopleFilter): readonly Comparison[] {
  if ('every' in filter) return filter.every.flatMap(scansOf)
  if ('some' in filter) return filter.some.flatMap(scansOf)
  return costOf(filter) === 'scan' ? [filter] : []
}

/** The part of a filter that indexes answer, which all that it matches satisfy; undefined: there is none. */
function indexedPart(filter: PeopleFilter): PeopleFilter | undefined {
  if ('every' in filter) {
    const every = filter.every.map(indexedPart).filter((part) => part !== undefined)
    return every.length === 0 ? undefined : { every }
  }
  if ('some' in filter) {
    const some = filter.some.map(indexedPart)
    const known = some.filter((part) => part !== undefined)
    return known.length < some.length ? undefined : { some: known }
  }
  return costOf(filter) === 'range' ? filter : undefined
}

/**
 * Whether a filter can be answered without reading more than `most` users one by one. A filter that indexes answer alone
 * always can. Otherwise the users are counted, up to `most`, that the part with an index leaves: it is exact and not an
 * estimate, so that both databases, and each page of a list, answer the same.
 */
export async function isSearchable(
  { db, kind }: Pick<Storage, 'db' | 'kind'>,
  filter: PeopleFilter,
  most: number,
): Promise<boolean> {
  if (scansOf(filter).length === 0) return true
  const part = indexedPart(filter)
  const bounded = db
    .selectFrom('people')
    .select('people.id')
    .$if(part !== undefined, (query) => query.where((where) => condition(where, kind, part ?? filter)))
    .limit(most + 1)
  const { count } = await db
    .selectFrom(bounded.as('bounded'))
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count) <= most
}

/**
 * One page of the users a query matches, in the order of their ids. Where a filter needs users to be read one by one, those
 * are read that its indexed part leaves, whatever the planner believes: `isSearchable` has bounded them.
 */
export async function queryPeople(
  { db, kind }: Pick<Storage, 'db' | 'kind'>,
  wanted: PeopleQuery,
): Promise<readonly Person[]> {
  const { filter, startsWith, except, inGroup, after } = wanted
  const part = filter !== undefined && scansOf(filter).length > 0 ? indexedPart(filter) : undefined
  const from =
    part === undefined
      ? db.selectFrom('people')
      : (db
          .with(
            (cte) => cte('candidates').materialized(),
            (on) =>
              on
                .selectFrom('people')
                .selectAll()
                .where((where) => condition(where, kind, part)),
          )
          .selectFrom('candidates as people') as unknown as SelectQueryBuilder<Schema, 'people', object>)
  let query = from.selectAll().orderBy('people.id').limit(wanted.limit)
  if (after !== undefined) query = query.where('people.id', '>', after)
  if (except !== undefined) query = query.where('status', '!=', except)
  if (filter !== undefined) query = query.where((where) => condition(where, kind, filter))
  if (startsWith !== undefined) {
    const key = nameKey(startsWith)
    query = query.where((where) =>
      where.or(
        (['first_key', 'last_key', 'email_key'] as const).map((column) =>
          beginsWith(kind, sql.ref(column), key),
        ),
      ),
    )
  }
  if (inGroup !== undefined) {
    query = query.where('people.id', 'in', (where) =>
      where.selectFrom('memberships').select('person_id').where('group_id', '=', inGroup),
    )
  }
  return (await query.execute()).map(toPerson)
}

function condition(where: Where, kind: Kind, filter: PeopleFilter): Expression<SqlBool> {
  if ('every' in filter) return where.and(filter.every.map((part) => condition(where, kind, part)))
  if ('some' in filter) return where.or(filter.some.map((part) => condition(where, kind, part)))
  return comparison(kind, filter)
}

/** Names in columns of their own, as they are compared. */
const keyColumns: Readonly<
  Record<string, { readonly column: string; readonly key: (text: string) => string }>
> = {
  login: { column: 'login_key', key: compareKey },
  email: { column: 'email_key', key: compareKey },
  firstName: { column: 'first_key', key: nameKey },
  lastName: { column: 'last_key', key: nameKey },
}
const ownColumns = {
  id: 'people.id',
  status: 'status',
  created: 'created_at',
  lastUpdated: 'updated_at',
  statusChanged: 'status_changed_at',
} as const

/** What is absent matches nothing, whatever it is compared with. */
function comparison(kind: Kind, { attribute, operator, value }: Comparison): Expression<SqlBool> {
  // PostgreSQL chooses by its statistics between ranges of the index and the order of ids; SQLite has none, and would sort
  // nearly all users for the usual `status ne "DEPROVISIONED"`.
  if (attribute.of === 'person' && attribute.name === 'status' && operator === 'ne' && kind === 'postgres') {
    const others = personStatuses.filter((status) => status !== value)
    return sql<SqlBool>`status in (${sql.join(others)})`
  }
  if (attribute.of === 'person') return compared(kind, sql.ref(ownColumns[attribute.name]), operator, value)
  const known = keyColumns[attribute.name]
  if (known !== undefined) {
    const left = sql.ref<string>(known.column)
    const present = sql<SqlBool>`${left} <> ''`
    if (operator === 'pr') return present
    // Booleans are no names.
    if (typeof value === 'boolean') return sql<SqlBool>`1 = 0`
    return sql<SqlBool>`(${compared(kind, left, operator, known.key(String(value)))} and ${present})`
  }
  // Names were checked to be letters, digits and underscores; they are values here all the same.
  const path = `$."${attribute.name}"`
  if (typeof value === 'boolean') {
    // The type counts, so that true is neither 1 nor the word.
    const found =
      kind === 'sqlite'
        ? sql<string>`json_type(people.profile, ${path})`
        : sql<string>`cast(people.profile::json -> ${attribute.name} as text)`
    const isIt = sql<SqlBool>`${found} ${sql.raw(operator === 'ne' ? '<>' : '=')} ${String(value)}`
    return sql<SqlBool>`(${isIt} and ${found} <> 'null')`
  }
  const member =
    kind === 'sqlite'
      ? // SQLite returns true as 1.
        sql<string>`case json_type(people.profile, ${path}) when 'true' then 'true' when 'false' then 'false' else json_extract(people.profile, ${path}) end`
      : sql<string>`(people.profile::json ->> ${attribute.name})`
  if (operator === 'pr') return sql<SqlBool>`(${member} is not null and cast(${member} as text) <> '')`
  // Letters of ASCII alone: the databases agree on no others, and PostgreSQL only with this collation.
  const text =
    kind === 'sqlite'
      ? sql<string>`lower(cast(${member} as text))`
      : sql<string>`lower(${member} collate "C")`
  return compared(kind, text, operator, asciiLower(String(value)))
}

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const signs = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const

function compared(
  kind: Kind,
  left: Expression<unknown>,
  operator: Operator,
  value: string | number | boolean,
): Expression<SqlBool> {
  if (operator === 'pr') return sql<SqlBool>`${left} is not null`
  if (operator === 'sw') return beginsWith(kind, left, String(value))
  if (operator === 'co') {
    const position = sql.raw(kind === 'sqlite' ? 'instr' : 'strpos')
    return sql<SqlBool>`${position}(${left}, ${String(value)}) > 0`
  }
  const isOrder = operator !== 'eq' && operator !== 'ne'
  const side = isOrder && typeof value === 'string' ? byBytes(kind, left) : left
  const made = sql<SqlBool>`${side} ${sql.raw(signs[operator])} ${value}`
  // A query by time asks for the latest: without the hint SQLite would scan all users in the order of ids.
  return isOrder && typeof value === 'number' && kind === 'sqlite' ? sql`likelihood(${made}, 0.01)` : made
}

/** Texts in the order of their bytes, the default of SQLite, and PostgreSQL's with this collation. */
const byBytes = (kind: Kind, left: Expression<unknown>): Expression<unknown> =>
  kind === 'postgres' ? sql`${left} collate "C"` : left

/** Served by an index on both: one takes a range for it, the other a pattern on what is ordered by its bytes. */
function beginsWith(kind: Kind, left: Expression<unknown>, prefix: string): Expression<SqlBool> {
  if (kind === 'postgres') return like(byBytes(kind, left), `${escaped(prefix)}%`)
  return sql<SqlBool>`(${left} >= ${prefix} and ${left} < ${`${prefix}\u{10ffff}`})`
}

const like = (left: Expression<unknown>, pattern: string): Expression<SqlBool> =>
  sql<SqlBool>`${left} like ${pattern} escape '\\'`

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** The user whose login this is; not one whose email it is. */
export async function findPersonByLogin(db: Db, login: string): Promise<Person | undefined> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('login_key', '=', compareKey(login))
    .executeTakeFirst()
  return row && toPerson(row)
}
