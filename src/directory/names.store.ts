import { apiError, type ProtocolError } from '../base/index.ts'
import { type Db, insert, run, slots } from '../storage/index.ts'
import { compareKey } from './identifier.ts'
import type { Profile } from './person.ts'

type Names = Pick<Profile, 'login' | 'email'>

/** The keys of a user's names: one where the login is the email. Sorted, so that two writers lock them in one order. */
const keysOf = ({ login, email }: Names): readonly string[] =>
  [...new Set([compareKey(login), compareKey(email)])].sort()

/** Creates the row of a name, and confirms one that is this user's; of a name that is another user's it answers nothing. */
const claim = `on conflict (key) do update set person_id = excluded.person_id
  where names.person_id = excluded.person_id returning key`

/**
 * Writes the names of a user, in the transaction of the user's row and after that row. A name belongs to one user at
 * most, over the logins and emails of all users: otherwise a user whose login is the email of another receives what is
 * meant for the other (A55). The primary key decides, so two writers at once cannot both succeed. Throws 400.
 *
 * @param before the names until now. One of them may be another user's since before there was this rule, and stays
 *   without effect: it stands in no way of other changes, and is this user's as soon as the other one gives it up.
 */
export async function claimNames(db: Db, personId: string, names: Names, before?: Names): Promise<void> {
  const keys = keysOf(names)
  if (before !== undefined) {
    const text = `delete from names where person_id = $1 and key not in (${slots(keys, 2)})`
    await run(db, text, [personId, ...keys])
  }
  const rows = keys.map((key) => ({ key, person_id: personId }))
  const claimed = new Set(
    (await insert<'names', { key: string }>(db, 'names', rows, claim)).map(({ key }) => key),
  )
  const known = before === undefined ? [] : keysOf(before)
  const refused = keys.filter((key) => !claimed.has(key) && !known.includes(key))
  if (refused.length > 0) throw taken(fieldsOf(names, refused))
}

const nameFields = ['login', 'email'] as const
type NameField = (typeof nameFields)[number]

const fieldsOf = (names: Partial<Names>, keys: readonly string[]): readonly NameField[] =>
  nameFields.filter((field) => {
    const name = names[field]
    return name !== undefined && keys.includes(compareKey(name))
  })

/** Okta's error for a login or email that another user has. */
export const taken = (fields: readonly string[], cause?: unknown): ProtocolError =>
  apiError('E0000001', {
    summary: `Api validation failed: ${fields[0]}`,
    ...(cause !== undefined && { cause }),
    causes: fields.map(
      (field) => `${field}: An object with this field already exists in the current organization`,
    ),
  })

/** Which of these names another user has, except those that the user has already (see `claimNames`). */
export async function takenNames(
  db: Db,
  names: { readonly login?: string | undefined; readonly email?: string | undefined },
  exceptId = '',
): Promise<readonly NameField[]> {
  const keys = nameFields.flatMap((field) => (names[field] === undefined ? [] : compareKey(names[field])))
  if (keys.length === 0) return []
  const rows = await run<{ key: string }>(
    db,
    `select key from names where person_id <> $1 and key in (${slots(keys, 2)}) and not exists (
      select 1 from people where id = $1 and (login_key = names.key or email_key = names.key))`,
    [exceptId, ...keys],
  )
  const given = Object.fromEntries(
    nameFields.flatMap((field) => (names[field] === undefined ? [] : [[field, names[field]]])),
  )
  return fieldsOf(
    given,
    rows.map(({ key }) => key),
  )
}

/** A user who has a login or email that belongs to another user, from before there was one namespace. */
export interface SharedName {
  readonly name: string
  readonly personId: string
  /** To whom the name leads. */
  readonly holderId: string
}

/** Names that lead to another user than the one who has them; each is to be changed at one of the two. */
export const sharedNames = (db: Db, limit: number): Promise<readonly SharedName[]> =>
  run<SharedName>(
    db,
    `select people.login as name, people.id as "personId", names.person_id as "holderId"
      from people join names on names.key = people.login_key and names.person_id <> people.id
    union all select people.email, people.id, names.person_id
      from people join names on names.key = people.email_key and names.person_id <> people.id
      where people.email_key <> people.login_key
    order by 1 limit $1`,
    [limit],
  )
