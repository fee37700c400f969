import { derivedId, type Random, randomToken, type Secrets } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import type { Client, StoredSecret } from './client.ts'

/** A secret of a client, as it may be told of: without what it is. */
export interface ClientSecret {
  readonly id: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly createdAt: number
  readonly updatedAt: number
}

/** Made from the hash, so that secrets that were stored before they had ids have one, too. */
const idOf = ({ hash }: StoredSecret): string => derivedId('ocs', hash)

const told = (stored: StoredSecret): ClientSecret => ({
  id: idOf(stored),
  status: stored.status ?? 'ACTIVE',
  createdAt: stored.createdAt,
  updatedAt: stored.updatedAt ?? stored.createdAt,
})

/** The secrets of a client, the oldest first. */
export const clientSecretsOf = ({ secrets }: Client): readonly ClientSecret[] =>
  secrets.map(told).toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))

/** Adds a secret, chosen by the owner or made; its text is answered here alone. `taken`: the client has it already. */
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
  return { secret: told(stored), text }
}

/** Whether a client has, or had until it was deactivated, this secret. */
export const hasClientSecret = (client: Client, text: string, secrets: Secrets): boolean =>
  client.secrets.some(({ hash }) => secrets.matches('client secret', text, hash))

/** Puts one secret in place of all that a client has. */
export async function replaceClientSecrets(
  db: Db,
  client: Client,
  text: string,
  { secrets, now }: { readonly secrets: Secrets; readonly now: number },
): Promise<void> {
  await write(db, client, [{ hash: secrets.hash('client secret', text), createdAt: now }], now)
}

/** Stores which secrets a client still has, and whether they are good. */
export async function changeClientSecrets(
  db: Db,
  client: Client,
  wanted: readonly ClientSecret[],
  now: number,
): Promise<void> {
  const left = client.secrets.flatMap((stored) => {
    const kept = wanted.find(({ id }) => id === idOf(stored))
    return kept === undefined ? [] : [{ ...stored, status: kept.status, updatedAt: kept.updatedAt }]
  })
  await write(db, client, left, now)
}

const write = (db: Db, { id }: Client, secrets: Client['secrets'], now: number) =>
  db
    .updateTable('clients')
    .set({ secrets: JSON.stringify(secrets), updated_at: now })
    .where('id', '=', id)
    .execute()
