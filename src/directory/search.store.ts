import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Db, Schema, Storage } from '../storage/index.ts'
import { beginsWith, type Comparison, type Filter, filterCondition, type Searched } from './filter.store.ts'
import { compareKey } from './identifier.ts'
import { nameKey, toPerson } from './people.store.ts'
import { type Person, type PersonStatus, personStatuses } from './person.ts'

/** A filter of users; their own attributes are `id`, `status`, `created`, `lastUpdated` and `statusChanged`. */
export type PeopleFilter = Filter

interface PeopleQuery {
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
  const isOwn = attribute.of === 'own'
  const isUnique = ['id', 'login', 'email'].includes(name)
  // A status has eight values: `ne` is one of the others.
  if (isOwn && name === 'status') {
    return operator === 'pr' ? 'all' : ['eq', 'ne', 'absent'].includes(operator) ? 'range' : 'scan'
  }
  if (operator === 'pr') return isOwn || isUnique ? 'all' : 'scan'
  if (operator === 'ne') return isUnique ? 'all' : 'scan'
  if (operator === 'co') return 'scan'
  const isIndexed = isOwn ? name !== 'statusChanged' : Object.hasOwn(searched.keys, name)
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

const condition = (where: Where, kind: Kind, filter: PeopleFilter): Expression<SqlBool> =>
  filterCondition(where, kind, searched, filter)

const searched: Searched = {
  own: {
    id: 'people.id',
    status: 'status',
    created: 'created_at',
    lastUpdated: 'updated_at',
    statusChanged: 'status_changed_at',
  },
  values: { status: personStatuses },
  keys: {
    login: { column: 'login_key', key: compareKey },
    email: { column: 'email_key', key: compareKey },
    firstName: { column: 'first_key', key: nameKey },
    lastName: { column: 'last_key', key: nameKey },
  },
  profile: 'people.profile',
}

/** The user whose login this is; not one whose email it is. */
export async function findPersonByLogin(db: Db, login: string): Promise<Person | undefined> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('login_key', '=', compareKey(login))
    .executeTakeFirst()
  return row && toPerson(row)
}
