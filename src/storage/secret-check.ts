import { sql } from 'kysely'
import { ConfigError, type Secrets, secretMissing, secretVersionOf } from '../base/index.ts'
import type { Db, Storage } from './storage.ts'

/**
 * The check value of the master secret: a keyed hash for each secret that this database has been written with, the
 * current one first, separated by blanks. Its row is in `settings`, and no import or export carries it.
 */
const checkKey = 'secret.check'
const purpose = 'secret check'
const checked = 'rekey'

/**
 * Compares the configured secrets with the database. Reads only, so it comes before migrations and everything else that
 * writes; from then on the secrets seal and hash with the current one. Throws a ConfigError where the current secret of the database is not configured: such a node would answer
 * every sign-in with an error, and would hash the secrets of apps anew so that no other node knows them.
 */
export async function refuseWrongSecret(storage: Storage, secrets: Secrets): Promise<void> {
  if (!(await hasSettings(storage))) return
  const check = await readCheck(storage.db)
  if (check.length > 0) return compare(check, secrets)
  const found = await versionsFound(storage.db)
  if (found.length > 0) secrets.makeCurrent(foundCurrent(found, secrets), [])
}

/**
 * Writes the check value where there is none yet: at the first start on an empty database, or an import into one, and at
 * the first start of this version on an older database, which is known by what is sealed in it. Of two first starts at
 * once with different secrets one writes it, and the other is refused.
 */
export async function claimSecret(storage: Storage, secrets: Secrets): Promise<void> {
  const { db } = storage
  if ((await readCheck(db)).length === 0) {
    const found = await versionsFound(db)
    const current = found.length === 0 ? secrets.version : foundCurrent(found, secrets)
    await db
      .insertInto('settings')
      .values({ key: checkKey, value: checkOf(current, secrets) })
      .onConflict((oc) => oc.column('key').doNothing())
      .execute()
  }
  compare(await readCheck(db), secrets)
}

/**
 * Makes the first of the configured secrets the current one, unless this database has been written with it already: a
 * node that restarts with the list of an earlier step of the rotation does not take the change back. Answers whether the
 * current secret has changed.
 */
export async function promoteSecret(storage: Storage, secrets: Secrets): Promise<boolean> {
  const [first = secrets.version] = secrets.versions
  for (;;) {
    await claimSecret(storage, secrets)
    const check = await readCheck(storage.db)
    if (check.some((stored) => secretVersionOf(stored) === first)) return false
    const { numUpdatedRows } = await storage.db
      .updateTable('settings')
      .set({ value: [checkOf(first, secrets), ...check].join(' ') })
      .where('key', '=', checkKey)
      .where('value', '=', check.join(' '))
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) continue
    await claimSecret(storage, secrets)
    return true
  }
}

/**
 * Rejects with 503 where the current secret of the database is not among the configured ones: for readiness, and where
 * something is not found that another node may have written with a secret that this one has not got yet. A node
 * that has it seals and hashes with it from now on, as the one does that has made it the current one.
 */
export async function refuseMissingSecret(db: Db, secrets: Secrets): Promise<void> {
  const [current, ...replaced] = (await readCheck(db)).map(secretVersionOf)
  if (current === undefined) return
  if (!secrets.versions.includes(current)) throw secretMissing(current, 'the database')
  secrets.makeCurrent(current, replaced)
}

/** The versions of the secrets that the database has been written with, the current one first; empty before the first start. */
export const recordedSecrets = async (storage: Storage): Promise<readonly string[]> =>
  (await hasSettings(storage)) ? (await readCheck(storage.db)).map(secretVersionOf) : []

async function readCheck(db: Db): Promise<readonly string[]> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', checkKey).executeTakeFirst()
  return row?.value.split(' ') ?? []
}

const checkOf = (version: string, secrets: Secrets): string =>
  secrets.hashes(purpose, checked).find((hash) => secretVersionOf(hash) === version) ?? ''

/**
 * The current one has to be configured, and seals and hashes from then on. Its hash is compared, too: the version alone is
 * a name, not a proof.
 */
function compare(check: readonly string[], secrets: Secrets): void {
  const [current = ''] = check
  const [version = '', ...replaced] = check.map(secretVersionOf)
  if (!secrets.knows(current) || !secrets.matches(purpose, checked, current))
    throw wrongSecret([version, ...replaced], secrets)
  secrets.makeCurrent(version, replaced)
}

function wrongSecret([current = '', ...replaced]: readonly string[], { versions }: Secrets): ConfigError {
  const former = versions.filter((version) => replaced.includes(version))
  const configured = `${versions.join(', ')}${former.length > 0 ? ` (${former.join(', ')} was replaced by ${current})` : ''}`
  return new ConfigError([
    `secrets: REKEY_SECRET is not the secret of this database, and nothing was written. The database is used with the secret ${current}, configured here is ${configured}; these are names that identify a secret and do not reveal it. Set REKEY_SECRET or REKEY_SECRET_FILE to the secret of the nodes that use this database. To replace the secret, add the new one behind the old one first: rekey keys rotate --help`,
  ])
}

/** Which of the configured secrets is the current one of a database without a check value. */
function foundCurrent(found: readonly string[], secrets: Secrets): string {
  const current = found.find((version) => secrets.versions.includes(version))
  if (current === undefined) throw wrongSecret(found, secrets)
  return current
}

/**
 * What a database of an earlier version was written with. The current signing key decides alone: every node has to open
 * it. Before the first token there is none: then one of the secrets of apps, API tokens, mails and transactions must match.
 */
async function versionsFound(db: Db): Promise<readonly string[]> {
  const signing = await db
    .selectFrom('signing_keys')
    .innerJoin('settings', 'settings.value', 'signing_keys.kid')
    .select('sealed_jwk')
    .where('settings.key', '=', 'oidc.signing_key')
    .execute()
  if (signing.length > 0) return signing.map((row) => secretVersionOf(row.sealed_jwk))
  const [keys, clients, tokens, mails, transactions] = await Promise.all([
    db.selectFrom('signing_keys').select('sealed_jwk').execute(),
    db.selectFrom('clients').select('secrets').where('secrets', '!=', '[]').limit(100).execute(),
    db.selectFrom('api_tokens').select('hash').limit(100).execute(),
    db.selectFrom('outbox').select('sealed').where('sealed', 'is not', null).limit(100).execute(),
    db.selectFrom('transactions').select('key_version').distinct().limit(100).execute(),
  ])
  const stored = [
    ...keys.map((row) => row.sealed_jwk),
    ...clients.flatMap((row) => (JSON.parse(row.secrets) as { hash: string }[]).map(({ hash }) => hash)),
    ...tokens.map(({ hash }) => hash),
    ...mails.map(({ sealed }) => sealed ?? ''),
    ...transactions.map((row) => `${row.key_version}.`),
  ]
  return [...new Set(stored.map(secretVersionOf).filter(Boolean))]
}

/** Whether the database has tables yet: an empty one belongs to no secret. */
async function hasSettings({ kind, db }: Storage): Promise<boolean> {
  const { rows } =
    kind === 'postgres'
      ? await sql`select 1 from pg_catalog.pg_class where oid = to_regclass('settings')`.execute(db)
      : await sql`select 1 from sqlite_master where type = 'table' and name = 'settings'`.execute(db)
  return rows.length > 0
}

/** How much of the database needs a secret, by what it is; nothing that has expired or ended counts. */
export type SecretUses = Readonly<
  Record<
    | 'signing keys'
    | 'app secrets'
    | 'API tokens'
    | 'enrollments'
    | 'pending factors'
    | 'recovery tokens'
    | 'transactions'
    | 'codes'
    | 'mails',
    number
  >
>

/**
 * What still needs one of the secrets that the database was written with. It reads the tables whole: for a command, not
 * for a request.
 */
export async function usesOfSecret(db: Db, version: string, now: number): Promise<SecretUses> {
  const pattern = `${version.replace(/[\\%_]/g, '\\$&')}.%`
  const count = async (query: {
    executeTakeFirst(): Promise<{ count: number | string | bigint } | undefined>
  }) => Number((await query.executeTakeFirst())?.count ?? 0)
  const clients = await db.selectFrom('clients').select('secrets').execute()
  return {
    'signing keys': await count(
      db
        .selectFrom('signing_keys')
        .select(({ fn }) => fn.countAll().as('count'))
        .where(sql<boolean>`sealed_jwk like ${pattern} escape '\\'`),
    ),
    'app secrets': clients
      .flatMap((row) => JSON.parse(row.secrets) as readonly { readonly hash: string }[])
      .filter(({ hash }) => secretVersionOf(hash) === version).length,
    'API tokens': await count(
      db
        .selectFrom('api_tokens')
        .select(({ fn }) => fn.countAll().as('count'))
        .where(sql<boolean>`hash like ${pattern} escape '\\'`),
    ),
    enrollments: await count(
      db
        .selectFrom('enrollments')
        .select(({ fn }) => fn.countAll().as('count'))
        .where(sql<boolean>`data like ${`%"${pattern}`} escape '\\'`),
    ),
    'pending factors': await count(
      db
        .selectFrom('factor_challenges')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('expires_at', '>', now)
        .where(sql<boolean>`data like ${`%"${pattern}`} escape '\\'`),
    ),
    'recovery tokens': await count(
      db
        .selectFrom('person_tokens')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('expires_at', '>', now)
        .where(sql<boolean>`hash like ${pattern} escape '\\'`),
    ),
    transactions: await count(
      db
        .selectFrom('transactions')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('expires_at', '>', now)
        .where('closed_at', 'is', null)
        .where('key_version', '=', version),
    ),
    codes: await count(
      db
        .selectFrom('interactions')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('code_expires_at', '>', now)
        .where('code_used_at', 'is', null)
        .where(sql<boolean>`code_hash like ${pattern} escape '\\'`),
    ),
    mails: await count(
      db
        .selectFrom('outbox')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('status', '=', 'queued')
        .where(sql<boolean>`sealed like ${pattern} escape '\\'`),
    ),
  }
}
