import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { Db, Schema, Storage } from '../../storage/index.ts'
import { compareKey } from '../identifier.ts'
import type { Person, PersonStatus } from '../person.ts'
import { nameKey, toPerson } from '../store.ts'

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
  /** The id of the last person of the page before. */
  readonly after?: string | undefined
}

type Where = ExpressionBuilder<Schema, 'people'>
type Kind = Storage['kind']

/** One page of the people a query matches, in the order of their ids. */
export async function queryPeople(
  { db, kind }: Pick<Storage, 'db' | 'kind'>,
  wanted: PeopleQuery,
): Promise<readonly Person[]> {
  const { filter, startsWith, except, inGroup, after } = wanted
  let query = db.selectFrom('people').selectAll().orderBy('people.id').limit(wanted.limit)
  if (after !== undefined) query = query.where('people.id', '>', after)
  if (except !== undefined) query = query.where('status', '!=', except)
  if (filter !== undefined) query = query.where((where) => condition(where, kind, filter))
  if (startsWith !== undefined) {
    const key = nameKey(startsWith)
    query = query.where((where) =>
      where.or(
        (['first_key', 'last_key', 'email_key'] as const).map((column) => beginsWith(kind, column, key)),
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

const keyColumns: Readonly<Record<string, string>> = {
  login: 'login_key',
  email: 'email_key',
  firstName: 'first_key',
  lastName: 'last_key',
}
const ownColumns = {
  id: 'people.id',
  status: 'status',
  created: 'created_at',
  lastUpdated: 'updated_at',
  statusChanged: 'status_changed_at',
} as const

function comparison(kind: Kind, { attribute, operator, value }: Comparison): Expression<SqlBool> {
  if (attribute.of === 'person') return compared(kind, ownColumns[attribute.name], operator, value)
  const key = keyColumns[attribute.name]
  if (key !== undefined) {
    if (operator === 'pr') return sql<SqlBool>`${sql.ref(key)} <> ''`
    return compared(kind, key, operator, compareKey(String(value)))
  }
  // Names were checked to be letters, digits and underscores; they are values here all the same.
  const member =
    kind === 'sqlite'
      ? sql<string>`json_extract(people.profile, ${`$."${attribute.name}"`})`
      : sql<string>`(people.profile::json ->> ${attribute.name})`
  if (operator === 'pr') return sql<SqlBool>`${member} is not null`
  const text = sql<string>`lower(cast(${member} as text))`
  if (typeof value === 'boolean') {
    // One database has truth as a number, the other as a word.
    return sql<SqlBool>`${text} ${sql.raw(operator === 'ne' ? '<>' : '=')} ${kind === 'sqlite' ? (value ? '1' : '0') : String(value)}`
  }
  return comparedText(text, operator, String(value).toLowerCase())
}

const signs = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const

function compared(kind: Kind, column: string, operator: Operator, value: string | number | boolean) {
  if (operator === 'sw') return beginsWith(kind, column, String(value))
  const left = sql<string>`${sql.ref(column)}`
  if (operator === 'pr') return sql<SqlBool>`${left} is not null`
  if (operator === 'co') return comparedText(left, operator, String(value))
  return sql<SqlBool>`${left} ${sql.raw(signs[operator])} ${value}`
}

function comparedText(left: Expression<string>, operator: Operator, value: string) {
  if (operator === 'sw') return like(left, `${escaped(value)}%`)
  if (operator === 'co') return like(left, `%${escaped(value)}%`)
  if (operator === 'pr') return sql<SqlBool>`${left} is not null`
  return sql<SqlBool>`${left} ${sql.raw(signs[operator])} ${value}`
}

/** A range where texts are ordered by their bytes, so that an index serves it; a pattern where a locale orders them. */
function beginsWith(kind: Kind, column: string, prefix: string): Expression<SqlBool> {
  const left = sql.ref<string>(column)
  if (kind === 'postgres') return like(left, `${escaped(prefix)}%`)
  return sql<SqlBool>`(${left} >= ${prefix} and ${left} < ${`${prefix}\u{10ffff}`})`
}

const like = (left: Expression<string>, pattern: string): Expression<SqlBool> =>
  sql<SqlBool>`${left} like ${pattern} escape '\\'`

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** The person whose login this is; not one whose email it is. */
export async function findPersonByLogin(db: Db, login: string): Promise<Person | undefined> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('login_key', '=', compareKey(login))
    .executeTakeFirst()
  return row && toPerson(row)
}

/** Which of these names somebody else has. */
export async function takenNames(
  db: Db,
  names: { readonly login?: string | undefined; readonly email?: string | undefined },
  exceptId = '',
): Promise<readonly ('login' | 'email')[]> {
  const taken: ('login' | 'email')[] = []
  for (const field of ['login', 'email'] as const) {
    const name = names[field]
    if (name === undefined) continue
    const row = await db
      .selectFrom('people')
      .select('id')
      .where(`${field}_key`, '=', compareKey(name))
      .where('id', '!=', exceptId)
      .executeTakeFirst()
    if (row !== undefined) taken.push(field)
  }
  return taken
}

/** Who of these has a password. */
export async function withPassword(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('credentials')
    .select('person_id')
    .where('authenticator', '=', 'okta_password')
    .where('person_id', 'in', [...ids])
    .execute()
  return new Set(rows.map((row) => row.person_id))
}
