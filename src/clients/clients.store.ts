import { type Random, randomId, randomToken, type Secrets } from '../base/index.ts'
import { type Db, type Row, run, slots, statement, type Value } from '../storage/index.ts'
import {
  type Client,
  type ClientSettings,
  isLocalhostOrigin,
  type NewClient,
  originsOf,
  type StoredSecret,
} from './client.ts'

/** The columns of a client, for stores that join it with tables of their own. */
export const clientColumns = [
  'id',
  'label',
  'status',
  'secrets',
  'settings',
] as const satisfies readonly (keyof Row<'clients'>)[]

export const toClient = (row: Pick<Row<'clients'>, (typeof clientColumns)[number]>): Client => ({
  id: row.id,
  label: row.label,
  status: row.status as Client['status'],
  secrets: JSON.parse(row.secrets) as Client['secrets'],
  settings: JSON.parse(row.settings) as ClientSettings,
})

const selectClient = statement((db, value: Value<{ id: string }>) =>
  db.selectFrom('clients').selectAll().where('id', '=', value('id')),
)

export async function findClient(db: Db, id: string): Promise<Client | undefined> {
  const { rows } = await selectClient(db, { id })
  const [row] = rows
  return row && toClient(row)
}

export async function listClients(db: Db): Promise<readonly Client[]> {
  return (await db.selectFrom('clients').selectAll().orderBy('created_at').orderBy('id').execute()).map(
    toClient,
  )
}

/**
 * Registers a client and assigns it to groups. A `web` client gets a secret, which is returned only here and stored as a
 * keyed hash.
 */
export async function createClient(
  db: Db,
  client: NewClient,
  context: {
    readonly random: Random
    readonly secrets: Secrets
    readonly now: number
    readonly groupIds: readonly string[]
    /** The scopes of the service client that registers it; absent: an administrator does. */
    readonly plantedBy?: readonly string[] | undefined
  },
): Promise<{ readonly client: Client; readonly secret: string | undefined }> {
  const { id = randomId(context.random, '0oa'), label, secret: chosen, ...settings } = client
  const applicationType = settings.applicationType ?? 'web'
  const secret = applicationType === 'web' ? (chosen ?? randomToken(context.random)) : undefined
  const row: Row<'clients'> = {
    id,
    label,
    status: 'ACTIVE',
    secrets: JSON.stringify(
      secret === undefined
        ? []
        : [
            {
              hash: hashSecret(context.secrets, secret),
              createdAt: context.now,
              ...(context.plantedBy && { plantedBy: context.plantedBy }),
            } satisfies StoredSecret,
          ],
    ),
    settings: JSON.stringify({
      postLogoutRedirectUris: [],
      grantTypes: ['interaction_code', 'refresh_token'],
      ...settings,
      applicationType,
    } satisfies ClientSettings),
    created_at: context.now,
    updated_at: context.now,
  }
  await db.insertInto('clients').values(row).execute()
  for (const groupId of context.groupIds) {
    await db
      .insertInto('client_groups')
      .values({ client_id: id, group_id: groupId, created_at: context.now })
      .execute()
  }
  return { client: toClient(row), secret }
}

const hashSecret = (secrets: Secrets, secret: string): string => secrets.hash('client secret', secret)

/**
 * Whether this is one of the client's active secrets. Each comparison takes constant time. Throws `secretMissing` where it
 * is none of those that can be checked here, and there are others.
 */
export const isClientSecret = (client: Client, secret: string, secrets: Secrets): boolean =>
  matchesAny(
    client.secrets.filter(({ status = 'ACTIVE' }) => status === 'ACTIVE'),
    secret,
    secrets,
  )

/** Those that can be checked come first: of two secrets of an app one may be older than the secret of this node. */
export const matchesAny = (stored: readonly StoredSecret[], secret: string, secrets: Secrets): boolean =>
  stored
    .toSorted((a, b) => Number(secrets.knows(b.hash)) - Number(secrets.knows(a.hash)))
    .some(({ hash }) => secrets.matches('client secret', secret, hash))

/** Changes members of a client; `settings` are replaced as a whole. */
export async function updateClient(
  db: Db,
  id: string,
  changes: {
    readonly label?: string
    readonly settings?: ClientSettings
    readonly status?: Client['status']
  },
  now: number,
): Promise<void> {
  await db
    .updateTable('clients')
    .set({
      updated_at: now,
      ...(changes.label !== undefined && { label: changes.label }),
      ...(changes.status !== undefined && { status: changes.status }),
      ...(changes.settings !== undefined && { settings: JSON.stringify(changes.settings) }),
    })
    .where('id', '=', id)
    .execute()
}

/**
 * Whether a user is assigned to a client, directly or through a group: a condition, for statements that ask more.
 * @param client SQL of the client's id
 * @param user SQL of the user's id
 */
export const assignedText = (client: string, user: string): string => `(
  exists (
    select 1 from client_groups join memberships on memberships.group_id = client_groups.group_id
    where client_groups.client_id = ${client} and memberships.person_id = ${user})
  or exists (select 1 from client_people where client_id = ${client} and person_id = ${user}))`

const selectAssignment = `select 1 as one where ${assignedText('$1', '$2')}`

/** Whether a user is assigned to a client, directly or through a group. */
export const isAssigned = async (db: Db, clientId: string, personId: string): Promise<boolean> =>
  (await run(db, selectAssignment, [clientId, personId])).length > 0

/** Whether a user who is not there yet will be assigned to a client, by the groups that the user will be in. */
export const isAssignedByGroup = async (
  db: Db,
  clientId: string,
  groupIds: readonly string[],
): Promise<boolean> =>
  groupIds.length > 0 &&
  (
    await run(
      db,
      `select 1 as one from client_groups where client_id = $1 and group_id in (${slots(groupIds, 2)}) limit 1`,
      [clientId, ...groupIds],
    )
  ).length > 0

/** Whether pages of an origin may call from a browser: of an active app's redirect URIs, of a trusted origin, or of development. */
export async function mayCall(db: Db, origin: string): Promise<boolean> {
  const clients = (await listClients(db)).filter(({ status }) => status === 'ACTIVE')
  const isOfApp = clients.some(
    (client) =>
      originsOf(client).includes(origin) ||
      (client.settings.insecureLocalhostRedirects === true && isLocalhostOrigin(origin)),
  )
  return isOfApp || (await listTrustedOrigins(db)).includes(origin)
}

/** The active trusted origins that browsers may call from (CORS), or be redirected to. */
export async function listTrustedOrigins(
  db: Db,
  scope: 'CORS' | 'REDIRECT' = 'CORS',
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('trusted_origins')
    .select(['origin', 'scopes'])
    .where('status', '=', 'ACTIVE')
    .execute()
  return rows.flatMap(({ origin, scopes }) => (JSON.parse(scopes).includes(scope) ? [origin] : []))
}

export async function ensureTrustedOrigin(
  db: Db,
  origin: string,
  context: { readonly random: Random; readonly now: number },
): Promise<void> {
  await db
    .insertInto('trusted_origins')
    .values({
      id: randomId(context.random, 'tos'),
      name: origin,
      origin,
      status: 'ACTIVE',
      scopes: JSON.stringify(['CORS', 'REDIRECT']),
      created_at: context.now,
      updated_at: context.now,
    })
    .onConflict((oc) => oc.column('origin').doNothing())
    .execute()
}

/** Deletes a client with its assignments and scopes. Its sessions and tokens are for the caller to revoke. */
export async function removeClient(db: Db, id: string): Promise<void> {
  await db.deleteFrom('client_groups').where('client_id', '=', id).execute()
  await db.deleteFrom('client_people').where('client_id', '=', id).execute()
  await db.deleteFrom('client_scopes').where('client_id', '=', id).execute()
  await db.deleteFrom('user_consents').where('client_id', '=', id).execute()
  await db.deleteFrom('clients').where('id', '=', id).execute()
}
