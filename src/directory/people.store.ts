import { apiError, type ProtocolError, type Random, randomId } from '../base/index.ts'
import {
  type Db,
  isUniqueViolation,
  locksRows,
  prefixed,
  type Row,
  run,
  StaleRead,
  type Storage,
  slots,
  statement,
  type Tx,
  unprefixing,
  type Value,
  withCommit,
} from '../storage/index.ts'
import { endFactorChallenges } from './factor-challenges.store.ts'
import { compareKey, mailboxKey, nameProblems, verifiedSecondEmail } from './identifier.ts'
import { claimNames, taken } from './names.store.ts'
import type { Group, NewPerson, Person, PersonChanges, PersonStatus, Profile } from './person.ts'
import { endPersonTokens } from './tokens.store.ts'

/** The columns of a user, for statements that read them together with rows of other tables. */
const personColumns = [
  'id',
  'status',
  'profile',
  'created_at',
  'updated_at',
  'status_changed_at',
  'password_changed_at',
  'last_login_at',
  'version',
  'known_sources',
  'email_verified_at',
  'verified_email_key',
  'recovered_at',
  'second_email_verified_at',
  'verified_second_email_key',
  'unfinished_at',
  'terms_version',
  'terms_agreed_at',
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
  version: row.version,
  knownSources: row.known_sources ?? '',
  verifiedEmail:
    row.email_verified_at === null || row.verified_email_key === null
      ? undefined
      : { key: row.verified_email_key, at: Number(row.email_verified_at) },
  recoveredAt: row.recovered_at === null ? undefined : Number(row.recovered_at),
  verifiedSecondEmail:
    row.second_email_verified_at === null || row.verified_second_email_key === null
      ? undefined
      : { key: row.verified_second_email_key, at: Number(row.second_email_verified_at) },
  unfinishedAt: row.unfinished_at === null ? undefined : Number(row.unfinished_at),
  terms:
    row.terms_version === null || row.terms_agreed_at === null
      ? undefined
      : { version: row.terms_version, at: Number(row.terms_agreed_at) },
})

// What is read where there is no such user, so that it takes as long.
const stranger: PersonRow = {
  id: '00u',
  status: 'ACTIVE',
  profile: JSON.stringify({ login: 'nobody@example.com', email: 'nobody@example.com', firstName: 'Nobody' }),
  created_at: 0,
  updated_at: 0,
  status_changed_at: 0,
  password_changed_at: null,
  last_login_at: null,
  version: 0,
  known_sources: null,
  email_verified_at: null,
  verified_email_key: null,
  recovered_at: null,
  second_email_verified_at: null,
  terms_version: null,
  terms_agreed_at: null,
  verified_second_email_key: null,
  unfinished_at: null,
}

/** The user of a row; the work is the same without one. */
function personOrStranger(row: PersonRow | undefined): Person | undefined {
  const person = toPerson(row ?? stranger)
  return row && person
}

/** A row of an outer join: of nulls where there is no user. */
type NullablePersonRow = { [Column in keyof PersonRow]: PersonRow[Column] | null }

const personOrNone = (row: NullablePersonRow | undefined): Person | undefined =>
  personOrStranger(row === undefined || row.id === null ? undefined : (row as PersonRow))

const personById = statement((db, value: Value<{ id: string }>) =>
  db.selectFrom('people').selectAll().where('id', '=', value('id')),
)

export async function findPerson(db: Db, id: string): Promise<Person | undefined> {
  const { rows } = await personById(db, { id })
  const [row] = rows
  return row && toPerson(row)
}

// Answers one row for every id: without a user it is a row of nulls, because reading a row takes time (A02). PostgreSQL
// locks no row on the far side of an outer join, so that it is locked before.
const lockText = (columns: readonly string[], id: string, lock: 'for update' | '', answer = 'locked.*') => `
  with locked as (select ${columns.join(', ')} from people where id = ${id} ${lock})
  select ${answer} from (select 1 as one) as one_row left join locked on true`
const lockTexts = (columns: readonly string[], id: string) => ({
  postgres: lockText(columns, id, 'for update'),
  sqlite: lockText(columns, id, ''),
})

const personLocked = lockTexts(personColumns, '$1')
const versionRead = lockText(['version'], '$1', '')
// A text that is no number: the server fails where the version is another one, so that what follows travels with this.
const versionRequired = lockText(
  ['version'],
  '$1',
  'for update',
  `case when locked.version is not distinct from cast($2 as integer) then 1
    else cast('another version of the user: ' || coalesce(cast(locked.version as text), 'none') as integer) end as same`,
)

/**
 * A user as stored at this moment, locked until the transaction ends: no other request changes the user, or completes
 * anything in the user's name, meanwhile. The first statement of every transaction that writes what belongs to a user,
 * whatever it writes: with one lock order no request can cause a deadlock in another user's (A50).
 */
export async function lockPerson(tx: Tx, id: string): Promise<Person | undefined> {
  const [row] = await run<NullablePersonRow>(
    tx,
    locksRows(tx) ? personLocked.postgres : personLocked.sqlite,
    [id],
  )
  return personOrNone(row)
}

/**
 * The same of the user whose id a subquery finds: the search and the lock in one statement.
 * @param id SQL that answers one id, or none, with `$1`, `$2` … for the values
 */
export async function lockPersonFoundBy(
  tx: Tx,
  id: string,
  values: readonly unknown[],
): Promise<Person | undefined> {
  const text = lockText(personColumns, `(${id})`, locksRows(tx) ? 'for update' : '')
  const [row] = await run<NullablePersonRow>(tx, text, values)
  return personOrNone(row)
}

/** The users who have the names of a profile, each locked as by `lockPerson`; of a free name the same statement finds none. */
export async function lockHolders(
  tx: Tx,
  { login, email }: Pick<Profile, 'login' | 'email'>,
): Promise<readonly Person[]> {
  const keys = [...new Set([compareKey(login), compareKey(email)])].sort()
  const found = new Map<string, Person>()
  for (const key of keys) {
    const holder = await lockPersonFoundBy(tx, 'select person_id from names where key = $1', [key])
    if (holder !== undefined) found.set(holder.id, holder)
  }
  return [...found.values()]
}

/** What an answer was checked against: the user's id and the version that was read; no version: no such user. */
export interface UserVersion {
  readonly id: string
  readonly version: number | undefined
}

/**
 * Runs `work` in one database transaction that holds the user's row, if the user still has that version. Throws `StaleRead`
 * where not, and nothing is written: between the check and here lie hashes and queues, and a request that changed the user
 * meanwhile was answered that it is done (A49). For an unknown user the same statement answers a row of nulls.
 */
export async function ifUnchanged<T>(
  storage: Storage,
  { id, version }: UserVersion,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const stale = () => new StaleRead(`user ${id}`)
  const result = await storage.transaction(async (tx) => {
    if (locksRows(tx)) {
      await withCommit(tx, requireVersion(tx, id, version, stale))
      return { done: await work(tx) }
    }
    const [row] = await run<{ readonly version: number | null }>(tx, versionRead, [id])
    return (row?.version ?? undefined) === version ? { done: await work(tx) } : undefined
  })
  // Thrown once the transaction has ended well: on SQLite it ends together with the change that was met in it, so that
  // a retry reads that change.
  if (result === undefined) throw stale()
  return result.done
}

/**
 * Raises a user's version where something changes that answers were checked against and that stands in other rows, such as a consent: what was
 * read before is not written any more (`ifUnchanged`). The caller holds the user's row.
 */
export async function raiseVersion(tx: Tx, id: string): Promise<void> {
  await run(tx, 'update people set version = version + 1 where id = $1', [id])
}

async function requireVersion(
  tx: Tx,
  id: string,
  version: number | undefined,
  stale: () => Error,
): Promise<void> {
  try {
    await run(tx, versionRequired, [id, version ?? null])
  } catch (error) {
    throw error instanceof Error && error.message.includes('another version of the user') ? stale() : error
  }
}

/** A user, and the groups whose policies apply: the user's own and Everyone. For an unknown id the same statement finds Everyone. */
export interface Member {
  readonly person: Person | undefined
  readonly groupIds: readonly string[]
  readonly everyoneId: string
}

export async function findMember(db: Db, id: string): Promise<Member> {
  const [row] = await run<MemberRow>(db, memberText, [id])
  return memberFrom(row)
}

/**
 * The columns of a member, for a statement that joins `people` and, as `everyone`, the group Everyone. The groups are
 * one aggregated value and not a row each: otherwise all other columns come once a group, and the time of an answer
 * shows who is in many groups (A02).
 */
export const memberColumns = `${prefixed('people', 'p_', personColumns)}, everyone.id as everyone_id,
  (select string_agg(group_id, ' ') from memberships where person_id = people.id) as group_ids`

const memberText = `
  select ${memberColumns}
  from groups as everyone
  left join people on people.id = $1
  where everyone.type = 'BUILT_IN' and everyone.name_key = 'everyone'`

/** A row with `memberColumns`. */
export interface MemberRow extends Readonly<Record<string, unknown>> {
  readonly everyone_id: string
  /** Separated by blanks; null where there is no user. */
  readonly group_ids: string | null
}

const personIn = unprefixing('p_', personColumns)

/** The member of a row that has `memberColumns`. */
export function memberFrom(row: MemberRow | undefined): Member {
  if (row === undefined) throw new Error('there is no group Everyone: the database was never seeded')
  const own = row.group_ids?.split(' ') ?? []
  return {
    person: personOrStranger(personIn(row) as PersonRow | undefined),
    groupIds: own.includes(row.everyone_id) ? own : [...own, row.everyone_id],
    everyoneId: row.everyone_id,
  }
}

const memberByName = `
  select ${memberColumns}
  from groups as everyone
  left join names on names.key = $1
  left join people on people.id = names.person_id
  where everyone.type = 'BUILT_IN' and everyone.name_key = 'everyone'`

/** The member to whom a login or email belongs; for a name that is no user's the same statement finds Everyone. */
export async function findMemberByIdentifier(db: Db, identifier: string): Promise<Member> {
  const [row] = await run<MemberRow>(db, memberByName, [compareKey(identifier)])
  return memberFrom(row)
}

// Answers one row for every name: without a user it is a row of nulls, because reading a row takes time (A02).
const personByName = `
  select people.* from (select 1 as one) as one_row
  left join names on names.key = $1
  left join people on people.id = names.person_id`

/** The user to whom a login or email belongs. One statement, the same for names that are no user's. */
export async function findPersonByIdentifier(db: Db, identifier: string): Promise<Person | undefined> {
  const key = compareKey(identifier)
  const [row] = await run<NullablePersonRow>(db, personByName, [key])
  return personOrNone(row)
}

/** Users in the order of their ids, `limit` at a time, after the one with the id `after`. */
export async function listPeople(
  db: Db,
  page: { readonly limit: number; readonly after?: string },
): Promise<readonly Person[]> {
  let query = db.selectFrom('people').selectAll().orderBy('id').limit(page.limit)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  return (await query.execute()).map(toPerson)
}

/** Creates a user, a member of Everyone. Throws 400 where login or email are unusable or taken. */
export async function createPerson(
  db: Db,
  person: NewPerson,
  context: { readonly random: Random; readonly now: number },
): Promise<Person> {
  const { profile } = person
  checkNames(profile)
  checkSize(profile)
  const row: Row<'people'> = {
    id: person.id ?? randomId(context.random, '00u'),
    status: person.status ?? 'STAGED',
    ...nameColumns(profile),
    profile: JSON.stringify(profile),
    created_at: context.now,
    updated_at: context.now,
    status_changed_at: context.now,
    password_changed_at: null,
    last_login_at: null,
    version: 1,
    known_sources: null,
    email_verified_at: person.emailVerified ? context.now : null,
    verified_email_key: person.emailVerified ? mailboxKey(profile.email) : null,
    recovered_at: null,
    second_email_verified_at: null,
    verified_second_email_key: null,
    unfinished_at: person.unfinished ? context.now : null,
    terms_version: person.terms?.version ?? null,
    terms_agreed_at: person.terms?.at ?? null,
  }
  await uniquely(() => db.insertInto('people').values(row).execute())
  await claimNames(db, row.id, profile)
  const everyone = await getEveryone(db)
  await db.insertInto('memberships').values({ group_id: everyone.id, person_id: row.id }).execute()
  const { groupIds = [] } = person
  if (groupIds.length > 0) await joinGroups(db, row.id, groupIds, context.now)
  return toPerson(row)
}

/** Makes a new user a member of groups that are not built in; those that are not there any more are left out. */
async function joinGroups(db: Db, id: string, groupIds: readonly string[], now: number): Promise<void> {
  const listed = slots(groupIds, 2)
  await run(
    db,
    `insert into memberships (group_id, person_id)
      select id, $1 from groups where type = 'OKTA_GROUP' and id in (${listed}) on conflict do nothing`,
    [id, ...groupIds],
  )
  await run(
    db,
    `update groups set membership_updated_at = $1 where type = 'OKTA_GROUP' and id in (${listed})`,
    [now, ...groupIds],
  )
}

/** Changes a user; undefined where there is none. Throws 400 where login or email are unusable or taken. */
export async function updatePerson(
  db: Db,
  id: string,
  changes: PersonChanges,
  now: number,
  /** Only where the user has one of these statuses; otherwise nothing changes. */
  from?: readonly PersonStatus[],
): Promise<Person | undefined> {
  const changed = changes.profile && (await changedProfile(db, id, changes.profile))
  const profile = changed?.after
  const columns: Partial<Row<'people'>> = {
    updated_at: now,
    ...(profile && { ...nameColumns(profile), profile: JSON.stringify(profile) }),
    ...(changes.status && { status: changes.status, status_changed_at: now }),
    ...(changes.passwordChangedAt !== undefined && { password_changed_at: changes.passwordChangedAt }),
    ...(changes.recoveredAt !== undefined && { recovered_at: changes.recoveredAt }),
    ...(changes.lastLoginAt !== undefined && { last_login_at: changes.lastLoginAt }),
    ...(changes.knownSources !== undefined && { known_sources: changes.knownSources }),
    ...(changes.terms && { terms_version: changes.terms.version, terms_agreed_at: changes.terms.at }),
    ...(changes.verifiedSecondEmail !== undefined && {
      second_email_verified_at: now,
      verified_second_email_key: mailboxKey(changes.verifiedSecondEmail),
    }),
  }
  const values: unknown[] = Object.values(columns)
  const set = Object.keys(columns).map((column, index) => `${column} = $${index + 1}`)
  const secretChanged = changes.secretChanged || changed?.endsSecond ? true : undefined
  const raised = raisedVersion(
    { ...changes, ...(secretChanged && { secretChanged }), profile },
    Object.keys(columns),
  )
  if (raised !== undefined) set.push(`version = ${raised}`)
  set.push(...verification(changes, changed, values, now), ...endOfSignUp(changes, values, now))
  const condition = from === undefined ? '' : `and status in (${slots(from, values.length + 2)})`
  const text = `update people set ${set.join(', ')} where id = $${values.length + 1} ${condition} returning ${personColumns.join(', ')}`
  const [row] = await uniquely(() => run<PersonRow>(db, text, [...values, id, ...(from ?? [])]))
  if (row !== undefined && changed !== undefined) await claimNames(db, id, changed.after, changed.before)
  return row && toPerson(row)
}

/**
 * What becomes of the proof of the email, in SQL, with its values appended to `values`. It goes with the mailbox in the
 * statement that changes that; a change of the email since the profile was read ends it, too. What is proven is stored as
 * the mailbox, and counts only for an email that is the same one.
 */
function verification(
  { verifiedEmail }: PersonChanges,
  changed: { readonly before: Profile; readonly after: Profile } | undefined,
  values: unknown[],
  now: number,
): readonly string[] {
  const columns = ['email_verified_at', 'verified_email_key']
  if (changed !== undefined) {
    const { before, after } = changed
    if (mailboxKey(before.email) !== mailboxKey(after.email)) return columns.map((name) => `${name} = null`)
    const same = `email = $${values.push(before.email)}`
    return columns.map((name) => `${name} = case when ${same} then ${name} else null end`)
  }
  if (verifiedEmail === undefined) return []
  const isEmail = `email_key = $${values.push(compareKey(verifiedEmail))}`
  return [
    `email_verified_at = case when ${isEmail} then cast($${values.push(now)} as bigint) else email_verified_at end`,
    `verified_email_key = case when ${isEmail} then $${values.push(mailboxKey(verifiedEmail))} else verified_email_key end`,
  ]
}

/**
 * A sign-up has ended with any other status, but that of a user without a proven mailbox is remembered until there is one
 * (`isUnclaimed`); not where an administrator begins the account anew. One whom an administrator changes before the end is the
 * administrator's; while no mailbox is proven the account may still be a stranger's (A63), and only waits for its end anew.
 */
function endOfSignUp(
  { status, verifiedEmail, byAdministrator }: PersonChanges,
  values: unknown[],
  now: number,
): readonly string[] {
  if (status !== undefined) {
    const isOver = verifiedEmail !== undefined || ['STAGED', 'PROVISIONED', 'DEPROVISIONED'].includes(status)
    const unproven = 'case when email_verified_at is null then unfinished_at end'
    return [`unfinished_at = ${isOver ? 'null' : unproven}`]
  }
  if (verifiedEmail !== undefined) {
    return ["unfinished_at = case when status = 'PROVISIONED' then unfinished_at end"]
  }
  if (!byAdministrator) return []
  const again = `cast($${values.push(now)} as bigint)`
  return [
    `unfinished_at = case when unfinished_at is null or status <> 'PROVISIONED' then unfinished_at
      when email_verified_at is null then ${again} end`,
  ]
}

/**
 * What the version becomes, in SQL; undefined: it stays. The last sign-in never raises it. A profile does where its login
 * or email differs from those that are stored.
 */
function raisedVersion(
  {
    status,
    passwordChangedAt,
    secretChanged,
    profile,
  }: Omit<PersonChanges, 'profile'> & { readonly profile: Profile | undefined },
  columns: readonly string[],
): string | undefined {
  if (status !== undefined || passwordChangedAt !== undefined || secretChanged) return 'version + 1'
  if (profile === undefined) return undefined
  const slot = (column: string): string => `$${columns.indexOf(column) + 1}`
  const differs = ['login', 'email'].map((column) => `${column} <> ${slot(column)}`).join(' or ')
  return `version + case when ${differs} then 1 else 0 end`
}

async function changedProfile(
  db: Db,
  id: string,
  changes: Partial<Profile>,
): Promise<{ readonly before: Profile; readonly after: Profile; readonly endsSecond: boolean } | undefined> {
  const person = await findPerson(db, id)
  if (person === undefined) return undefined
  const after = { ...person.profile, ...changes }
  checkNames(after)
  checkSize(after, person.profile)
  // Codes that went to the address before are good for nothing any more.
  const second = verifiedSecondEmail(person)
  const endsSecond = second !== undefined && second !== verifiedSecondEmail({ ...person, profile: after })
  return { before: person.profile, after, endsSecond }
}

/** Removes a user with enrollments and memberships; false where there is none. */
export async function removePerson(db: Db, id: string): Promise<boolean> {
  await db.deleteFrom('enrollments').where('person_id', '=', id).execute()
  await db.deleteFrom('enrollment_skips').where('person_id', '=', id).execute()
  await db.deleteFrom('remembered_devices').where('person_id', '=', id).execute()
  await db.deleteFrom('memberships').where('person_id', '=', id).execute()
  await db.deleteFrom('names').where('person_id', '=', id).execute()
  await db.deleteFrom('account_changes').where('person_id', '=', id).execute()
  await db.deleteFrom('client_people').where('person_id', '=', id).execute()
  await db.deleteFrom('user_consents').where('person_id', '=', id).execute()
  await endPersonTokens(db, id)
  await endFactorChallenges(db, id)
  const { numDeletedRows } = await db.deleteFrom('people').where('id', '=', id).executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/**
 * The users whose sign-up waits for its end since `before` or longer, the oldest first, by their ids. Not those who have ended
 * it without a proven mailbox: they are accounts in use.
 */
export async function findUnfinished(
  db: Db,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('people')
    .select('id')
    .where('unfinished_at', '<=', before)
    .where('status', '=', 'PROVISIONED')
    .orderBy('unfinished_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** How a user is found: the compare keys of the names. Throws 400 where they are none. */
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

function checkNames(profile: Profile): void {
  const [problem] = nameProblems(profile)
  if (problem !== undefined) throw unusable(...problem)
}

/** A profile is read with every list and claim: it has at most so many characters as JSON. */
const longestProfile = 16_384

/** One that is larger from before may change, and not grow. */
function checkSize(profile: Profile, before?: Profile): void {
  const size = JSON.stringify(profile).length
  if (size <= longestProfile) return
  if (before !== undefined && size <= JSON.stringify(before).length) return
  throw unusable('profile', `must have at most ${longestProfile} characters as JSON, and has ${size}`)
}

const unusable = (field: string, why: string): ProtocolError =>
  apiError('E0000001', { summary: `Api validation failed: ${field}`, causes: [`${field}: ${why}`] })

async function uniquely<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    // Both databases name the column in their message, and have no other part that says which one it was.
    throw taken([cause instanceof Error && cause.message.includes('email_key') ? 'email' : 'login'], cause)
  }
}

/** The group that holds all users. Throws where the database was never seeded. */
export async function getEveryone(db: Db): Promise<Group & { readonly createdAt: number }> {
  const row = await db
    .selectFrom('groups')
    .selectAll()
    .where('type', '=', 'BUILT_IN')
    .where('name_key', '=', 'everyone')
    .executeTakeFirstOrThrow()
  return { id: row.id, type: 'BUILT_IN', name: row.name, createdAt: row.created_at }
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

/** The ids of the groups whose policies apply to a user: the user's own and Everyone. The same statement for an unknown user. */
export async function groupIdsOf(db: Db, personId: string): Promise<readonly string[]> {
  return (await findMember(db, personId)).groupIds
}

/** The names of the groups a user is in, in the order of the alphabet. */
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
