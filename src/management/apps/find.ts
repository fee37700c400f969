import { record } from '../../audit/index.ts'
import { type Client, findClient } from '../../clients/index.ts'
import { type Db, type Tx, takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import type { Call } from '../operation.ts'

/** The app that a path names. Throws 404. */
export async function appIn({ parts, params }: Call, db: Db = parts.storage.db): Promise<Client> {
  const id = params.appId ?? ''
  const client = await findClient(db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  return client
}

/** The same, to be changed: of callers that come at once each sees what the one before has left. */
export async function appToChange(call: Call, tx: Tx): Promise<Client> {
  await takeLock(tx, 'apps')
  return appIn(call, tx)
}

/** Tells the log that an app was changed, in the transaction of the change. */
export const tellUpdated = (
  { parts, actor, now }: Call,
  db: Db,
  { id, label }: Client,
  what: string,
): Promise<void> =>
  record(
    db,
    {
      eventType: 'application.lifecycle.update',
      displayMessage: `App managed: ${what}`,
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'AppInstance', displayName: label }],
    },
    { random: parts.random, now },
  )
