import type { Db } from '../storage/index.ts'

/** The row that says that some user has, or had, a verified secondary address. */
export const secondaryEmailsKey = 'secondary-emails'

/**
 * Notes that a user has a verified secondary address: from then on codes by mail go to two addresses of every user, to none
 * where a user has no second one, so that the number of mails does not show who has two (A02).
 */
export async function noteSecondaryEmail(db: Db): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: secondaryEmailsKey, value: 'in use' })
    .onConflict((oc) => oc.column('key').doNothing())
    .execute()
}
