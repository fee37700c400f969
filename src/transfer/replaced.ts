import type { Party } from '../audit/index.ts'
import { findEnrollments, findPerson, type Profile } from '../directory/index.ts'
import { passwordKey } from '../passwords/index.ts'
import type { People } from '../people/index.ts'
import type { Tx } from '../storage/index.ts'
import type { Stored, Table } from './tables.ts'

const by: Party = { id: 'import', type: 'SystemPrincipal' }

/** The user that a row belongs to, where it holds what the user signs in with. */
export function userOfRow({ name }: Table, row: Stored): string | undefined {
  const id = name === 'people' ? row.id : name === 'enrollments' ? row.person_id : undefined
  return id === undefined || id === null ? undefined : String(id)
}

/** What an import remembers of the users of its run. */
export interface Run {
  /** Users that it has added: their enrollments, later in the file, are no change. */
  readonly added: Set<string>
  /** The profiles before the run of users whose row it has replaced: a change of their password is reported there, too. */
  readonly former: Map<string, Profile>
}

export const newRun = (): Run => ({ added: new Set(), former: new Map() })

/**
 * Whether an enrollment completes a user that is being imported: one that this run has added, or one whose password is
 * missing, as an import leaves it that was interrupted between the two.
 */
export async function isBeingImported(tx: Tx, { added, former }: Run, id: string): Promise<boolean> {
  if (added.has(id)) return true
  const person = await findPerson(tx, id)
  if (person === undefined || person.passwordChangedAt === null || former.has(id)) return false
  const enrollments = await findEnrollments(tx, id)
  if (enrollments.some(({ authenticator }) => authenticator === passwordKey)) return false
  added.add(id)
  return true
}

/**
 * Writes a row of a user who was there before, and brings about what follows from a change of what the user signs in with,
 * in the same transaction, as if an administrator had made it: codes and sessions end, the user is notified (A59).
 */
export async function replacing(
  tx: Tx,
  people: Pick<People, 'written'>,
  { former }: Run,
  id: string,
  write: () => Promise<void>,
): Promise<void> {
  const before = await findPerson(tx, id)
  const enrollments = await findEnrollments(tx, id)
  await write()
  const after = await findPerson(tx, id)
  if (before === undefined || after === undefined) return
  const formerly = former.get(id)
  if (formerly === undefined) former.set(id, before.profile)
  await people.written(tx, { before, after, enrollments, by, ...(formerly && { formerly }) })
}
