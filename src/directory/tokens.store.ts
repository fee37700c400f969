import { type Random, randomId, randomToken, type Secrets } from '../base/index.ts'
import { type Db, type Row, refuseMissingSecret, statement, type Value } from '../storage/index.ts'
import { mailboxKey } from './identifier.ts'

/** `recovery`: to set a new password. `activation`: to set the first one. */
export type PersonTokenKind = 'recovery' | 'activation'

/** A token that a user was given, by mail or by hand, to set a password. It is spent by the password it sets. */
interface PersonToken {
  readonly id: string
  readonly personId: string
  readonly kind: PersonTokenKind
  readonly expiresAt: number
  /** The mailbox that it was mailed to (`mailboxKey`); undefined: it was handed to the caller. */
  readonly mailedTo: string | undefined
}

const purpose = 'person token'

const toToken = (row: Row<'person_tokens'>): PersonToken => ({
  id: row.id,
  personId: row.person_id,
  kind: row.kind as PersonTokenKind,
  expiresAt: row.expires_at,
  mailedTo: row.mailed_to_key ?? undefined,
})

/** Makes a token in place of those before it. It is answered here, once, and stored as a keyed hash. */
export async function issuePersonToken(
  db: Db,
  wanted: {
    readonly personId: string
    readonly kind: PersonTokenKind
    readonly lifetimeMs: number
    /** The address that it is mailed to; absent: it is handed to the caller. */
    readonly mailedTo?: string | undefined
    /** Drawn before, where the mail that has it is composed first; absent: it is drawn here. */
    readonly token?: string
  },
  { random, secrets, now }: { readonly random: Random; readonly secrets: Secrets; readonly now: number },
): Promise<string> {
  const token = wanted.token ?? randomToken(random)
  await endPersonTokens(db, wanted.personId)
  await db
    .insertInto('person_tokens')
    .values({
      id: randomId(random, 'ptk'),
      person_id: wanted.personId,
      kind: wanted.kind,
      hash: secrets.hash(purpose, token),
      mailed_to_key: wanted.mailedTo === undefined ? null : mailboxKey(wanted.mailedTo),
      created_at: now,
      expires_at: now + wanted.lifetimeMs,
    })
    .execute()
  return token
}

/** The token that a text is, unless its time is over; with `orExpired` also then, for as long as its row stands. */
export async function findPersonToken(
  db: Db,
  token: string,
  {
    secrets,
    now,
    orExpired = false,
  }: { readonly secrets: Secrets; readonly now: number; readonly orExpired?: boolean },
): Promise<PersonToken | undefined> {
  const row = await db
    .selectFrom('person_tokens')
    .selectAll()
    .where('hash', 'in', secrets.hashes(purpose, token))
    .where('expires_at', '>', orExpired ? 0 : now)
    .executeTakeFirst()
  // Another node may have made it with a secret that this one has not got yet.
  if (row === undefined) await refuseMissingSecret(db, secrets)
  return row && toToken(row)
}

/** The token with an id, whether or not its time is over. */
export async function findPersonTokenById(db: Db, id: string): Promise<PersonToken | undefined> {
  const row = await db.selectFrom('person_tokens').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toToken(row)
}

/**
 * Spends a token, and answers the mailbox that it was mailed to (`mailboxKey`), where it was; undefined where it was spent or ended before,
 * so that of two who hold it one sets a password.
 */
export async function usePersonToken(
  db: Db,
  id: string,
  now: number,
): Promise<{ readonly mailedTo: string | undefined } | undefined> {
  const row = await db
    .deleteFrom('person_tokens')
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .returning('mailed_to_key')
    .executeTakeFirst()
  return row && { mailedTo: row.mailed_to_key ?? undefined }
}

const tokensEnd = statement((db, value: Value<{ personId: string }>) =>
  db.deleteFrom('person_tokens').where('person_id', '=', value('personId')),
)

/** Ends the tokens of a user: after any change of what they lead to. */
export async function endPersonTokens(db: Db, personId: string): Promise<void> {
  await tokensEnd(db, { personId })
}
