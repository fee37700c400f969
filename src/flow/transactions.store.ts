import {
  noteTransaction,
  plainHash,
  type Random,
  randomId,
  type Secrets,
  secretMissing,
} from '../base/index.ts'
import { type Client, clientColumns, toClient } from '../clients/index.ts'
import {
  type Member,
  type MemberRow,
  memberColumns,
  memberFrom,
  type Person,
  type UserVersion,
} from '../directory/index.ts'
import { type Interaction, interactionColumns, toInteraction } from '../interactions/index.ts'
import type { AuthenticatorFacts } from '../policies/index.ts'
import {
  change,
  type Db,
  decide,
  insert,
  prefixed,
  type Row,
  run,
  type Tx,
  unprefixing,
} from '../storage/index.ts'
import { begin, ended, type Progress, upgraded } from './progress.ts'

/** A transaction as stored. The version is the brute-force guard: a move counts only from the one read. */
export interface Transaction {
  readonly id: string
  readonly stateHandle: string
  /** The version of the secret that its handle is made of. */
  readonly keyVersion: string
  readonly interactionId: string
  readonly ordinal: number
  readonly version: number
  readonly progress: Progress
  readonly stepsTaken: readonly StepTaken[]
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number
}

/** A step that was taken and written: its name, what it was answered with, and when. */
export interface StepTaken {
  readonly step: string
  readonly result: string
  readonly at: number
}

/** A transaction may have many requests; its row stays small. */
const mostStepsTaken = 100

/**
 * The state handle of a transaction: a keyed hash of its id, so it can be returned again to the holder of the interaction
 * handle, while the database holds nothing it could be made from without the master secret. Throws where that secret is not
 * configured on this node.
 */
function stateHandleOf(secrets: Secrets, id: string, keyVersion: string): string {
  const mac = secrets.hashes('state handle', id).find((hash) => hash.startsWith(`${keyVersion}.`))
  if (mac === undefined) throw secretMissing(keyVersion, `transaction ${id}`)
  return `02.id.${mac.slice(keyVersion.length + 1)}`
}

const transactionColumns = [
  'id',
  'interaction_id',
  'turn',
  'key_version',
  'version',
  'progress',
  'walked',
  'created_at',
  'updated_at',
  'expires_at',
  'closed_at',
] as const satisfies readonly (keyof Row<'transactions'>)[]

type TransactionRow = Pick<Row<'transactions'>, (typeof transactionColumns)[number]>

/** What reading a row needs: the keys of its handle, and what authenticators are, for rows of an older format. */
export interface Reading {
  readonly secrets: Secrets
  readonly authenticators: ReadonlyMap<string, AuthenticatorFacts>
}

/**
 * The handle that a row was found by: the row has its hash, so it is the one that would be made of the id. Throws as making
 * it does where its secret is not configured: nothing else of the transaction could be checked.
 */
function checked(secrets: Secrets, row: TransactionRow, stateHandle: string): string {
  if (!secrets.versions.includes(row.key_version))
    throw secretMissing(row.key_version, `transaction ${row.id}`)
  return stateHandle
}

function toTransaction(
  row: TransactionRow,
  { secrets, authenticators }: Reading,
  /** The one that the row was found by, where it was. */
  presented?: string,
): Transaction {
  const progress = upgraded(JSON.parse(row.progress) as Progress, authenticators)
  return {
    id: row.id,
    stateHandle:
      presented === undefined
        ? stateHandleOf(secrets, row.id, row.key_version)
        : checked(secrets, row, presented),
    keyVersion: row.key_version,
    interactionId: row.interaction_id,
    ordinal: row.turn,
    version: row.version,
    // Ended from outside by one statement over all of a user's rows, which does not reach into the progress.
    progress: row.closed_at === null ? progress : ended(progress),
    stepsTaken: JSON.parse(row.walked) as readonly StepTaken[],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
  }
}

/** A transaction with the rows it belongs to. The member is an unknown user where no user has the name that was typed. */
export interface TransactionRecord {
  /** Absent: the interaction has none yet. */
  readonly transaction: Transaction | undefined
  readonly interaction: Interaction
  readonly client: Client | undefined
  readonly member: Member
}

const recordText = `
  select ${prefixed('interactions', 'i_', interactionColumns)}, ${prefixed('transactions', 't_', transactionColumns)},
    ${prefixed('clients', 'c_', clientColumns)}, ${memberColumns}
  from interactions
  left join transactions on transactions.interaction_id = interactions.id
  left join clients on clients.id = interactions.client_id
  left join groups as everyone on everyone.name_key = 'everyone'
  left join people on people.id = transactions.person_id`

// Constants, as a text that is put together for each request is hashed anew to find the prepared statement.
const byStateText = `${recordText} where transactions.state_hash = $1`
const byInteractionText = `${recordText} where interactions.handle_hash = $1 and interactions.expires_at > $2
    order by transactions.turn desc limit 1`

/** Everything about a transaction in one statement, which is the same for known and for unknown users. */
export async function findRecordByState(
  db: Db,
  stateHandle: string,
  reading: Reading,
): Promise<TransactionRecord | undefined> {
  return recordFrom(await run<MemberRow>(db, byStateText, [plainHash(stateHandle)]), reading, stateHandle)
}

/** The latest transaction of an interaction that has not expired. */
export async function findRecordByInteraction(
  db: Db,
  handle: string,
  { now, ...reading }: Reading & { readonly now: number },
): Promise<TransactionRecord | undefined> {
  return recordFrom(await run<MemberRow>(db, byInteractionText, [plainHash(handle), now]), reading)
}

const transactionIn = unprefixing('t_', transactionColumns)
const clientIn = unprefixing('c_', clientColumns)
const interactionIn = unprefixing('i_', interactionColumns)

function recordFrom(
  [first]: readonly MemberRow[],
  reading: Reading,
  stateHandle?: string,
): TransactionRecord | undefined {
  if (first === undefined) return undefined
  const transaction = transactionIn(first) as TransactionRow | undefined
  if (transaction !== undefined) noteTransaction(transaction.id)
  const client = clientIn(first) as Parameters<typeof toClient>[0] | undefined
  const interaction = interactionIn(first) as Parameters<typeof toInteraction>[0]
  return {
    transaction: transaction && toTransaction(transaction, reading, stateHandle),
    interaction: toInteraction(interaction),
    client: client && toClient(client),
    member: memberFrom(first),
  }
}

/** Opens a transaction. Where another caller opened the same one first, that one stands, and this answers undefined. */
export async function openTransaction(
  db: Db,
  transaction: {
    readonly interactionId: string
    readonly clientId: string
    readonly ordinal: number
    readonly expiresAt: number
    /** What is known from the start; absent: nothing. */
    readonly progress?: Progress
  },
  context: Reading & { readonly random: Random; readonly now: number },
): Promise<Transaction | undefined> {
  const id = randomId(context.random, 'trs')
  const progress = transaction.progress ?? begin()
  const keyVersion = context.secrets.version
  const stateHandle = stateHandleOf(context.secrets, id, keyVersion)
  const [row] = await insert<'transactions', TransactionRow>(
    db,
    'transactions',
    [
      {
        id,
        interaction_id: transaction.interactionId,
        turn: transaction.ordinal,
        client_id: transaction.clientId,
        state_hash: plainHash(stateHandle),
        key_version: keyVersion,
        progress: JSON.stringify(progress),
        version: 1,
        person_id: progress.subject?.userId ?? null,
        link_hash: null,
        created_at: context.now,
        updated_at: context.now,
        expires_at: transaction.expiresAt,
        closed_at: null,
        ended_by: null,
        walked: '[]',
      },
    ],
    `on conflict (interaction_id, turn) do nothing returning ${transactionColumns.join(', ')}`,
  )
  return row && toTransaction(row, context, stateHandle)
}

export async function findTransactionByState(
  db: Db,
  stateHandle: string,
  reading: Reading,
): Promise<Transaction | undefined> {
  const row = await db
    .selectFrom('transactions')
    .selectAll()
    .where('state_hash', '=', plainHash(stateHandle))
    .executeTakeFirst()
  return row && toTransaction(row, reading, stateHandle)
}

/** The latest transaction of an interaction. */
export async function findTransactionOfInteraction(
  db: Db,
  interactionId: string,
  reading: Reading,
): Promise<Transaction | undefined> {
  const row = await db
    .selectFrom('transactions')
    .selectAll()
    .where('interaction_id', '=', interactionId)
    .orderBy('turn', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && toTransaction(row, reading)
}

/** A transaction by its public id, and whether the link is the one that is alive. */
export async function findTransactionByLink(
  db: Db,
  id: string,
  linkHash: string,
  reading: Reading,
): Promise<{ readonly transaction: Transaction; readonly alive: boolean } | undefined> {
  const row = await db.selectFrom('transactions').selectAll().where('id', '=', id).executeTakeFirst()
  if (row !== undefined) noteTransaction(row.id)
  return row && { transaction: toTransaction(row, reading), alive: row.link_hash === linkHash }
}

/**
 * The user of a transaction. For an unknown name it is an id that no user has, one for each transaction, so that the
 * index costs what it costs for known users.
 */
const personIdOf = (id: string, { subject }: Progress): string | null =>
  subject === undefined ? null : (subject.userId ?? unknownUserId(id))

/** A user as read, for the commit to compare with; an unknown one has an id that no user has, so that the same is written. */
export const versionOf = (transactionId: string, person: Person | undefined): UserVersion => ({
  // One who is not there yet is compared as an unknown one: there must be no such row when it is written.
  id: person === undefined || person.prospective ? unknownUserId(transactionId) : person.id,
  version: person?.prospective ? undefined : person?.version,
})

const unknownUserId = (transactionId: string): string => `00u${transactionId.slice(3)}`

// The first end stays on record: one that was ended from outside may go on as a decoy, and stays ended (A86).
const moveText = `
  update transactions set progress = $1, version = $2, person_id = $3, link_hash = $4, updated_at = $5,
    closed_at = coalesce(closed_at, $6), ended_by = coalesce(ended_by, $7), walked = $8
  where id = $9 and version = $10`

/** The rule that ends a transaction whose mail its user goes on from elsewhere. */
export const takenOver = 'taken-over-by-owner'

/**
 * Ends an open transaction by the link of its mail: who began it goes on as about an unknown user. False where another mail took its place, or it
 * has ended.
 */
export async function endByLink(
  db: Db,
  { id, linkHash, now }: { readonly id: string; readonly linkHash: string; readonly now: number },
): Promise<boolean> {
  const text = `update transactions set closed_at = $3, updated_at = $3, link_hash = null, ended_by = $4, version = version + 1
    where id = $1 and link_hash = $2 and closed_at is null returning id`
  return (await run<{ id: string }>(db, text, [id, linkHash, now, takenOver])).length > 0
}

/** A step that moves a transaction on from the version that was read. */
export interface Move extends Omit<StepTaken, 'at'> {
  readonly from: Transaction
  readonly progress: Progress
  readonly now: number
  readonly endedBy?: string | undefined
}

const moveValues = ({ from, progress, now, endedBy, step, result }: Move): readonly unknown[] => [
  JSON.stringify(progress),
  from.version + 1,
  personIdOf(from.id, progress),
  progress.challenge?.linkHash ?? null,
  now,
  progress.closed === undefined ? null : now,
  endedBy ?? null,
  JSON.stringify([...from.stepsTaken, { step, result, at: now }].slice(-mostStepsTaken)),
  from.id,
  from.version,
]

/** False: another request moved, or ended, the transaction first. */
export const moveTransaction = async (db: Db, move: Move): Promise<boolean> =>
  (await change(db, moveText, moveValues(move))) > 0

/** The same where more is written with it: nothing of that stands where another request was first; rejects with `otherwise()`. */
export const requireMove = (tx: Tx, move: Move, otherwise: () => Error): Promise<void> =>
  decide(tx, { text: moveText, parameters: moveValues(move) }, otherwise)
