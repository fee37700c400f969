import { derivedId, type Random, randomToken, type Secrets } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import type { Client, StoredSecret } from './client.ts'
import { matchesAny } from './clients.store.ts'

/** A secret of a client without its value. */
export interface ClientSecret {
  readonly id: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly createdAt: number
  readonly updatedAt: number
}

/** Derived from the hash: secrets that were stored before secrets had ids have one too. */
const idOf = ({ id, hash }: StoredSecret): string => id ?? derivedId('ocs', hash)

const toClientSecret = (stored: StoredSecret): ClientSecret => ({
  id: idOf(stored),
  status: stored.status ?? 'ACTIVE',
  createdAt: stored.createdAt,
  updatedAt: stored.updatedAt ?? stored.createdAt,
})

/** The secrets of a client, the oldest first. */
export const clientSecretsOf = ({ secrets }: Client): readonly ClientSecret[] =>
  secrets.map(toClientSecret).toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))

/** Adds a secret, given or generated. Its text is returned only here. `taken`: the client already has it. */
export async function addClientSecret(
  db: Db,
  client: Client,
  wanted: {
    readonly text?: string
    readonly status: ClientSecret['status']
    /** The scopes of the service client that adds it; absent: an administrator does. */
    readonly plantedBy?: readonly string[] | undefined
  },
  { random, secrets, now }: { readonly random: Random; readonly secrets: Secrets; readonly now: number },
): Promise<{ readonly secret: ClientSecret; readonly text: string } | 'taken'> {
  const { text = randomToken(random), status, plantedBy } = wanted
  if (hasClientSecret(client, text, secrets)) return 'taken'
  const hash = secrets.hash('client secret', text)
  const stored = { hash, createdAt: now, updatedAt: now, status, ...(plantedBy && { plantedBy }) }
  await write(db, client, [...client.secrets, stored], now)
  return { secret: toClientSecret(stored), text }
}

/** Whether a client has this secret, active or deactivated. */
export const hasClientSecret = (client: Client, text: string, secrets: Secrets): boolean =>
  matchesAny(
    client.secrets.filter(({ hash }) => secrets.knows(hash)),
    text,
    secrets,
  )

/** Whether a client has secrets that cannot be checked here: they were hashed with a secret that is not configured. */
export const hasUnknownSecret = (
  client: Client,
  secrets: Secrets,
  status?: ClientSecret['status'],
): boolean =>
  client.secrets.some(
    (stored) =>
      !secrets.knows(stored.hash) && (status === undefined || status === (stored.status ?? 'ACTIVE')),
  )

/**
 * Hashes a secret of a client anew where it was hashed with a master secret that has been replaced, so that this one can
 * be removed. Its id, status and times stay. Nothing is written where the secrets have changed meanwhile.
 */
export async function rehashClientSecret(
  db: Db,
  client: Client,
  text: string,
  secrets: Secrets,
): Promise<void> {
  const isMeant = ({ hash }: StoredSecret) =>
    secrets.isOutdated(hash) && secrets.matches('client secret', text, hash)
  if (!client.secrets.some(isMeant)) return
  const rehashed = client.secrets.map((stored) =>
    isMeant(stored) ? { ...stored, id: idOf(stored), hash: secrets.hash('client secret', text) } : stored,
  )
  await db
    .updateTable('clients')
    .set({ secrets: JSON.stringify(rehashed) })
    .where('id', '=', client.id)
    .where('secrets', '=', JSON.stringify(client.secrets))
    .execute()
}

/** Replaces all secrets of a client by one. */
export async function replaceClientSecrets(
  db: Db,
  client: Client,
  text: string,
  { secrets, now }: { readonly secrets: Secrets; readonly now: number },
): Promise<void> {
  await write(db, client, [{ hash: secrets.hash('client secret', text), createdAt: now }], now)
}

/** Stores the status of a client's secrets. Those that are not in `wanted` are deleted. */
export async function changeClientSecrets(
  db: Db,
  client: Client,
  wanted: readonly ClientSecret[],
  now: number,
): Promise<void> {
  const remaining = client.secrets.flatMap((stored) => {
    const match = wanted.find(({ id }) => id === idOf(stored))
    return match === undefined ? [] : [{ ...stored, status: match.status, updatedAt: match.updatedAt }]
  })
  await write(db, client, remaining, now)
}

const write = (db: Db, { id }: Client, secrets: Client['secrets'], now: number) =>
  db
    .updateTable('clients')
    .set({ secrets: JSON.stringify(secrets), updated_at: now })
    .where('id', '=', id)
    .execute()
