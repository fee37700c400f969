import type { NewEvent } from '../../audit/index.ts'
import { type Client, findClient } from '../../clients/index.ts'
import { type Db, type Tx, takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { type Context, recordEvent } from '../operation.ts'

/** The app of a path. Throws 404. */
export async function getApp({ parts, params }: Context, db: Db = parts.storage.db): Promise<Client> {
  const id = params.appId ?? ''
  const client = await findClient(db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  return client
}

/** The app of a path, locked for a change: concurrent callers each see the result of the previous one. Throws 404. */
export async function getAppForUpdate(call: Context, tx: Tx): Promise<Client> {
  await takeLock(tx, 'apps')
  return getApp(call, tx)
}

/** Records an event about an app; within a transaction if `db` is one. */
export const recordAppEvent = (
  call: Context,
  db: Db,
  { id, label }: Pick<Client, 'id' | 'label'>,
  event: Pick<NewEvent, 'eventType' | 'displayMessage' | 'debugData'>,
): Promise<void> =>
  recordEvent(call, db, { ...event, target: [{ id, type: 'AppInstance', displayName: label }] })

/** Records that a part of an app was changed. */
export const recordAppUpdate = (
  call: Context,
  db: Db,
  client: Pick<Client, 'id' | 'label'>,
  part: string,
): Promise<void> =>
  recordAppEvent(call, db, client, {
    eventType: 'application.lifecycle.update',
    displayMessage: `App managed: ${part}`,
  })
