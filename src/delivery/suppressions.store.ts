import { domainToASCII } from 'node:url'
import { type Db, type Row, run, slots } from '../storage/index.ts'

/** An address that no mail is sent to for a while: a mail server has refused it for good. */
export interface Suppression {
  readonly address: string
  readonly personId: string | null
  /** What the mail server answered. */
  readonly reason: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** What addresses are compared by: lower case, the domain in ASCII. Two mailboxes that differ by case alone count as one. */
function keyOf(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain}`.normalize('NFKC').toLowerCase()
}

/**
 * Finds the suppressions of addresses that are in force. Without an address the same statement, which finds nothing for it. Answers
 * a look-up by address.
 */
export async function findSuppressions(
  db: Db,
  addresses: readonly (string | null)[],
  now: number,
): Promise<(address: string | null) => Suppression | undefined> {
  const keys = addresses.map((address) => (address === null ? '' : keyOf(address)))
  const text = `select * from mail_suppressions where expires_at > $1 and key in (${slots(keys, 2)})`
  const rows = await run<Row<'mail_suppressions'>>(db, text, [now, ...keys])
  const found = new Map(rows.map((row) => [row.key, toSuppression(row)]))
  return (address) => (address === null ? undefined : found.get(keyOf(address)))
}

/** Suppresses an address until a time; a later refusal moves the end. */
export async function suppress(db: Db, suppression: Suppression): Promise<void> {
  const values = {
    address: suppression.address,
    person_id: suppression.personId,
    reason: suppression.reason,
    created_at: suppression.createdAt,
    expires_at: suppression.expiresAt,
  }
  await db
    .insertInto('mail_suppressions')
    .values({ key: keyOf(suppression.address), ...values })
    .onConflict((oc) => oc.column('key').doUpdateSet(values))
    .execute()
}

/** The suppressions in force, newest first, at most `limit`. */
export async function listSuppressions(
  db: Db,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<readonly Suppression[]> {
  const rows = await db
    .selectFrom('mail_suppressions')
    .selectAll()
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toSuppression)
}

/** Ends the suppression of an address. False where there is none. */
export async function removeSuppression(db: Db, address: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('mail_suppressions')
    .where('key', '=', keyOf(address))
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/**
 * Ends the suppressions of a user: those of mails to them, and those of their addresses. For a change of the email, and
 * for erasing a user.
 */
export async function removeSuppressionsOf(
  db: Db,
  personId: string,
  addresses: readonly string[],
): Promise<void> {
  const keys = addresses.map(keyOf)
  await db
    .deleteFrom('mail_suppressions')
    .where((eb) =>
      keys.length === 0
        ? eb('person_id', '=', personId)
        : eb.or([eb('person_id', '=', personId), eb('key', 'in', keys)]),
    )
    .execute()
}

const toSuppression = (row: Row<'mail_suppressions'>): Suppression => ({
  address: row.address,
  personId: row.person_id,
  reason: row.reason,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})
