import { type Db, run } from '../storage/index.ts'

/** How often a user has put off enrolments that are required, by authenticator. */
export async function findSkips(db: Db, personId: string): Promise<Readonly<Record<string, number>>> {
  const rows = await run<{ readonly authenticator: string; readonly skips: number }>(
    db,
    'select authenticator, skips from enrollment_skips where person_id = $1',
    [personId],
  )
  return Object.fromEntries(rows.map(({ authenticator, skips }) => [authenticator, Number(skips)]))
}

/**
 * Counts one more, up to `most` in all. False: there is none left, whatever was read before: one conditional statement, so that two
 * sign-ins at once do not share the last one (A68).
 */
export async function countSkip(
  db: Db,
  skip: { readonly personId: string; readonly authenticator: string; readonly most: number },
  now: number,
): Promise<boolean> {
  const { personId, authenticator, most } = skip
  const rows = await run(
    db,
    `insert into enrollment_skips (person_id, authenticator, skips, updated_at) values ($1, $2, 1, $3)
      on conflict (person_id, authenticator) do update
      set skips = enrollment_skips.skips + 1, updated_at = excluded.updated_at
      where enrollment_skips.skips < $4 returning skips`,
    [personId, authenticator, now, most],
  )
  return rows.length > 0
}
