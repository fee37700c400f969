import { run, slots, type Tx } from '../storage/index.ts'
import { endFactorChallenges } from './factor-challenges.store.ts'

/**
 * Takes everything out of an account by which another user could get in: enrollments but those of some authenticators, what is
 * being enrolled, changes that wait, remembered devices, what apps were allowed, and the proof of a secondary address (A63). The caller raises the user's version
 * in the same transaction, and ends sessions and transactions.
 */
export async function claimAccount(tx: Tx, id: string, keeps: readonly string[] = []): Promise<void> {
  const kept = keeps.length > 0 ? `and authenticator not in (${slots(keeps, 2)})` : ''
  await run(tx, `delete from enrollments where person_id = $1 ${kept}`, [id, ...keeps])
  for (const table of ['enrollment_skips', 'remembered_devices', 'account_changes', 'user_consents']) {
    await run(tx, `delete from ${table} where person_id = $1`, [id])
  }
  await endFactorChallenges(tx, id)
  const second = 'second_email_verified_at = null, verified_second_email_key = null'
  await run(tx, `update people set ${second} where id = $1`, [id])
}
