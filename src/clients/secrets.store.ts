import { derivedId, type Random, randomToken, type Secrets } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import type { Client, StoredSecret } from './client.ts'

/** A secret of a client without its value. */
export interface ClientSecret {
  readonly id: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly createdAt: number
  readonly updatedAt: number
}

/** Derived from the hash: secrets that were stored before secrets had ids have one too. */
const idOf = ({ hash }: StoredSecret): string => derivedId('ocs', hash)

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
  wanted: { readonly text?: string; readonly status: ClientSecret['status'] },
  { random, secrets, now }: { readonly random: Random; readonly secrets: Secrets; readonly now: number },
): Promise<{ readonly secret: ClientSecret; readonly text: string } | 'taken'> {
  const { text = randomToken(random), status } = wanted
  if (hasClientSecret(client, text, secrets)) return 'taken'
  const stored = { hash: secrets.hash('client secret', text), createdAt: now, updatedAt: now, status }
  await write(db, client, [...client.secrets, stored], now)
  return { secret: toClientSecret(stored), text }
}

/** Whether a client has this secret, active or deactivated. */
export const hasClientSecret = (client: Client, text: string, secrets: Secrets): boolean =>
  client.secrets.some(({ hash }) => secrets.matches('client secret', text, hash))

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
