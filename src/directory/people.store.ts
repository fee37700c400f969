import { ProtocolError, type Random, randomId } from '../base/index.ts'
import {
  type Db,
  insert,
  isUniqueViolation,
  prefixed,
  type Row,
  run,
  slots,
  statement,
  unprefixed,
  type Value,
} from '../storage/index.ts'
import { compareKey, looksLikeAddress } from './identifier.ts'
import type { Credential, Group, NewPerson, Person, PersonChanges, PersonStatus, Profile } from './person.ts'
import { endPersonTokens } from './tokens.store.ts'

/** What a person is made of, for stores that read her together with rows of their own. */
export const personColumns = [
  'id',
  'status',
  'profile',
  'created_at',
  'updated_at',
  'status_changed_at',
  'password_changed_at',
  'last_login_at',
  'known_sources',
] as const satisfies readonly (keyof Row<'people'>)[]

type PersonRow = Pick<Row<'people'>, (typeof personColumns)[number]>

export const toPerson = (row: PersonRow): Person => ({
  id: row.id,
  status: row.status as PersonStatus,
  profile: JSON.parse(row.profile) as Profile,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  statusChangedAt: row.status_changed_at,
  passwordChangedAt: row.password_changed_at,
  lastLoginAt: row.last_login_at,
  knownSources: row.known_sources ?? '',
})

// What is read where there is nobody, so that it takes as long.
const stranger: PersonRow = {
  id: '00u',
  status: 'ACTIVE',
  profile: JSON.stringify({ login: 'nobody@example.com', email: 'nobody@example.com', firstName: 'Nobody' }),
  created_at: 0,
  updated_at: 0,
  status_changed_at: 0,
  password_changed_at: null,
  last_login_at: null,
  known_sources: null,
}

/** The person of a row; the work is the same without one. */
function personOrStranger(row: PersonRow | undefined): Person | undefined {
  const person = toPerson(row ?? stranger)
  return row && person
}

const personById = statement((db, value: Value<{ id: string }>) =>
  db.selectFrom('people').selectAll().where('id', '=', value('id')),
)

export async function findPerson(db: Db, id: string): Promise<Person | undefined> {
  const { rows } = await personById(db, { id })
  const [row] = rows
  return row && toPerson(row)
}

/** A person, and the groups whose policies apply: hers and Everyone's. For an unknown id the same statement finds Everyone's. */
export interface Member {
  readonly person: Person | undefined
  readonly groupIds: readonly string[]
}

export async function findMember(db: Db, id: string): Promise<Member> {
  const rows = await run<MemberRow>(db, memberText, [id])
  return memberFrom(rows)
}

const memberText = `
  select ${prefixed('people', 'p_', personColumns)}, everyone.id as everyone_id, memberships.group_id
  from groups as everyone
  left join people on people.id = $1
  left join memberships on memberships.person_id = people.id
  where everyone.type = 'BUILT_IN' and everyone.name_key = 'everyone'`

/** One row a group. */
export interface MemberRow extends Readonly<Record<string, unknown>> {
  readonly everyone_id: string
  readonly group_id: string | null
}

/** Reads a member from rows with a person's columns under `p_`, `everyone_id` and `group_id`. */
export function memberFrom(rows: readonly MemberRow[]): Member {
  const [first] = rows
  if (first === undefined) throw new Error('there is no group Everyone: the database was never seeded')
  const row = unprefixed(first, 'p_', personColumns)
  const own = rows.flatMap(({ group_id }) => group_id ?? [])
  return {
    person: personOrStranger(row as PersonRow | undefined),
    groupIds: own.includes(first.everyone_id) ? own : [...own, first.everyone_id],
  }
}

// Answers a row whoever is asked for: reading one takes time that could be felt.
const peopleByKey = `
  select people.* from (select 1 as one) as anybody
  left join people on people.login_key = $1 or people.email_key = $1
  limit 2`

/** The person whose login this is, else the one whose primary email it is. One statement, whoever is asked for. */
export async function findPersonByIdentifier(db: Db, identifier: string): Promise<Person | undefined> {
  const key = compareKey(identifier)
  const rows = await run<Row<'people'>>(db, peopleByKey, [key])
  const row = rows.find((candidate) => candidate.login_key === key) ?? rows[0]
  // A row of nothing but nulls.
  return personOrStranger(row === undefined || row.id === null ? undefined : row)
}

/** People in the order of their ids, `limit` at a time, after the one with the id `after`. */
export async function listPeople(
  db: Db,
  page: { readonly limit: number; readonly after?: string },
): Promise<readonly Person[]> {
  let query = db.selectFrom('people').selectAll().orderBy('id').limit(page.limit)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return (await query.execute()).map(toPerson)
}

/** Creates a person and makes her a member of Everyone. Throws 400 where login or email are unusable or taken. */
export async function createPerson(
  db: Db,
  person: NewPerson,
  context: { readonly random: Random; readonly now: number },
): Promise<Person> {
  const { profile } = person
  checkNames(profile)
  const row: Row<'people'> = {
    id: randomId(context.random, '00u'),
    status: person.status ?? 'STAGED',
    ...nameColumns(profile),
    profile: JSON.stringify(profile),
    created_at: context.now,
    updated_at: context.now,
    status_changed_at: context.now,
    password_changed_at: null,
    last_login_at: null,
    known_sources: null,
  }
  await uniquely(() => db.insertInto('people').values(row).execute())
  const everyone = await getEveryone(db)
  await db.insertInto('memberships').values({ group_id: everyone.id, person_id: row.id }).execute()
  return toPerson(row)
}

/** Changes a person; undefined where she does not exist. Throws 400 where login or email are unusable or taken. */
export async function updatePerson(
  db: Db,
  id: string,
  changes: PersonChanges,
  now: number,
  /** Only where she has one of these statuses; otherwise she stays as she is. */
  from?: readonly PersonStatus[],
): Promise<Person | undefined> {
  const profile = changes.profile && (await changedProfile(db, id, changes.profile))
  const columns: Partial<Row<'people'>> = {
    updated_at: now,
    ...(profile && { ...nameColumns(profile), profile: JSON.stringify(profile) }),
    ...(changes.status && { status: changes.status, status_changed_at: now }),
    ...(changes.passwordChangedAt !== undefined && { password_changed_at: changes.passwordChangedAt }),
    ...(changes.lastLoginAt !== undefined && { last_login_at: changes.lastLoginAt }),
    ...(changes.knownSources !== undefined && { known_sources: changes.knownSources }),
  }
  const values = Object.values(columns)
  const set = Object.keys(columns).map((column, index) => `${column} = $${index + 1}`)
  const condition = from === undefined ? '' : `and status in (${slots(from, values.length + 2)})`
  const text = `update people set ${set.join(', ')} where id = $${values.length + 1} ${condition} returning *`
  const [row] = await uniquely(() => run<PersonRow>(db, text, [...values, id, ...(from ?? [])]))
  return row && toPerson(row)
}

async function changedProfile(db: Db, id: string, changes: Partial<Profile>): Promise<Profile | undefined> {
  const before = await findPerson(db, id)
  if (before === undefined) return undefined
  const profile = { ...before.profile, ...changes }
  checkNames(profile)
  return profile
}

/** Removes a person with her credentials and memberships; false where she does not exist. */
export async function removePerson(db: Db, id: string): Promise<boolean> {
  await db.deleteFrom('credentials').where('person_id', '=', id).execute()
  await db.deleteFrom('memberships').where('person_id', '=', id).execute()
  await db.deleteFrom('client_people').where('person_id', '=', id).execute()
  await endPersonTokens(db, id)
  const { numDeletedRows } = await db.deleteFrom('people').where('id', '=', id).executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** How a person is found: what her names are compared by. Throws 400 where they are none. */
export function nameColumns(profile: Profile) {
  checkNames(profile)
  return {
    login: profile.login,
    login_key: compareKey(profile.login),
    email: profile.email,
    email_key: compareKey(profile.email),
    first_key: nameKey(profile.firstName),
    last_key: nameKey(profile.lastName),
  }
}

/** A name as it is searched. */
export const nameKey = (name: unknown): string => (typeof name === 'string' ? compareKey(name) : '')

function checkNames({ login, email }: Profile): void {
  if (typeof login !== 'string' || login.trim() === '' || login.length > 100 || /\p{Cc}/u.test(login)) {
    throw unusable('login', 'a text of 1 to 100 characters is needed')
  }
  if (typeof email !== 'string' || !looksLikeAddress(email)) {
    throw unusable('email', 'must be in the form of an email address')
  }
}

const unusable = (field: string, why: string): ProtocolError =>
  new ProtocolError(400, 'E0000001', `Api validation failed: ${field}`, { causes: [`${field}: ${why}`] })

async function uniquely<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    throw new ProtocolError(400, 'E0000001', 'Api validation failed: login', {
      cause,
      // Which of the two it was stands in no portable part of the database's error.
      causes: ['login, email: An object with this field already exists in the current organization'],
    })
  }
}

const credentialOf = statement((db, value: Value<{ personId: string; authenticator: string }>) =>
  db
    .selectFrom('credentials')
    .selectAll()
    .where('person_id', '=', value('personId'))
    .where('authenticator', '=', value('authenticator')),
)

export async function findCredential<Data>(
  db: Db,
  personId: string,
  authenticator: string,
): Promise<Credential<Data> | undefined> {
  const { rows } = await credentialOf(db, { personId, authenticator })
  const [row] = rows
  if (row === undefined) return undefined
  return {
    personId,
    authenticator,
    data: JSON.parse(row.data) as Data,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** Stores a person's secret for an authenticator in place of the one before. */
export async function putCredential(
  db: Db,
  credential: { readonly personId: string; readonly authenticator: string; readonly data: unknown },
  now: number,
): Promise<void> {
  const row = {
    person_id: credential.personId,
    authenticator: credential.authenticator,
    data: JSON.stringify(credential.data),
    created_at: now,
    updated_at: now,
  }
  await insert(
    db,
    'credentials',
    [row],
    'on conflict (person_id, authenticator) do update set data = excluded.data, updated_at = excluded.updated_at',
  )
}

export async function removeCredential(db: Db, personId: string, authenticator: string): Promise<void> {
  await db
    .deleteFrom('credentials')
    .where('person_id', '=', personId)
    .where('authenticator', '=', authenticator)
    .execute()
}

/** The group that holds all people. Throws where the database was never seeded. */
export async function getEveryone(db: Db): Promise<Group> {
  const row = await db
    .selectFrom('groups')
    .selectAll()
    .where('type', '=', 'BUILT_IN')
    .where('name_key', '=', 'everyone')
    .executeTakeFirstOrThrow()
  return { id: row.id, type: 'BUILT_IN', name: row.name }
}

/** Creates Everyone where it is missing; safe to call from several nodes at once. */
export async function ensureEveryone(
  db: Db,
  context: { readonly random: Random; readonly now: number },
): Promise<void> {
  await db
    .insertInto('groups')
    .values({
      id: randomId(context.random, '00g'),
      type: 'BUILT_IN',
      name: 'Everyone',
      name_key: 'everyone',
      profile: JSON.stringify({ name: 'Everyone', description: 'All people' }),
      created_at: context.now,
      updated_at: context.now,
    })
    .onConflict((oc) => oc.column('name_key').doNothing())
    .execute()
}

/** The ids of the groups whose policies apply to a person: hers and Everyone's. The same statement for nobody. */
export async function groupIdsOf(db: Db, personId: string): Promise<readonly string[]> {
  return (await findMember(db, personId)).groupIds
}

/** The names of the groups a person is in, in the order of the alphabet. */
export async function groupNamesOf(db: Db, personId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('memberships')
    .innerJoin('groups', 'groups.id', 'memberships.group_id')
    .select('groups.name')
    .where('memberships.person_id', '=', personId)
    .orderBy('groups.name_key')
    .execute()
  return rows.map((row) => row.name)
}
