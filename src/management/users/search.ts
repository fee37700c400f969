import {
  findUserSchema,
  isSearchable,
  type PeopleFilter,
  personStatuses,
  scansOf,
} from '../../directory/index.ts'
import type { Db, Storage } from '../../storage/index.ts'
import { parseCriteria, type Searchable } from '../criteria.ts'
import { invalidCriteria } from '../errors.ts'

const own = {
  id: 'text',
  status: personStatuses,
  created: 'time',
  lastUpdated: 'time',
  statusChanged: 'time',
} as const

const filterable = ['id', 'status', 'lastUpdated', 'login', 'email', 'firstName', 'lastName']

async function searchableUsers(db: Db): Promise<Searchable> {
  const { base, custom } = await findUserSchema(db)
  const all = { ...base, ...custom }
  return { own, typeOf: (name) => (Object.hasOwn(all, name) ? all[name] : undefined) }
}

/**
 * Parses `search`, which compares id, status, times and any attribute of the profile, or `filter`, which compares fewer, by
 * `eq` and, for times, by order. Throws 400 `E0000031`.
 */
export async function parseUserCriteria(
  db: Db,
  { search, filter }: { readonly search?: string | undefined; readonly filter?: string | undefined },
): Promise<PeopleFilter | undefined> {
  const text = search ?? filter
  if (text === undefined) return undefined
  const searchable = await searchableUsers(db)
  return parseCriteria(text, search === undefined ? { ...searchable, filterable } : searchable)
}

/**
 * Refuses a search that would read more than `most` users one by one, with the reason: at a million users it would take
 * longer than a statement may. Throws 400 `E0000031`.
 */
export async function refuseUnbounded(storage: Storage, filter: PeopleFilter, most: number): Promise<void> {
  if (await isSearchable(storage, filter, most)) return
  const scans = scansOf(filter).map(({ attribute: { of, name }, operator }) => {
    return `${of === 'profile' ? 'profile.' : ''}${name} ${operator === 'absent' ? 'eq null' : operator}`
  })
  const many = most.toLocaleString('en')
  throw invalidCriteria(
    `no index answers ${[...new Set(scans)].slice(0, 10).join(', ')}, and more than ${many} users would have to be read: add, with and, a comparison that leaves at most ${many}. There are indexes for id, status (eq, ne), created, lastUpdated, and profile.login, profile.email, profile.firstName and profile.lastName with eq, sw, gt, ge, lt and le`,
  )
}
