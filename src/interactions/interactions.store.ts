import { plainHash, type Random, randomId, randomToken, type Secrets, s256 } from '../base/index.ts'
import {
  type Db,
  decide,
  insert,
  type Row,
  refuseMissingSecret,
  run,
  slots,
  type Tx,
} from '../storage/index.ts'

/** The parameters of a client's `interact` call. */
export interface InteractionRequest {
  readonly scope: string
  /** Empty where a request by a browser has none. */
  readonly state: string
  readonly nonce?: string | undefined
  /** The known levels of assurance that were asked for. */
  readonly acrValues?: string | undefined
  /** How old a proof may be, in seconds; 0: made in this transaction. */
  readonly maxAge?: number | undefined
  /** What the app expects the user to type: the identifier field has it, whether or not there is such a user. */
  readonly loginHint?: string | undefined
  /** The thumbprint of the key that the code is bound to (`dpop_jkt`; RFC 9449, section 10). Absent: it is bound to none. */
  readonly dpopJkt?: string | undefined
  /** What a signed-in user is to add to the account: the keys of authenticators, whether or not they are in use. */
  readonly enroll?: readonly string[] | undefined
  /** The transaction begins with the form by which a visitor makes an account (`prompt=create`). */
  readonly create?: true | undefined
  /** The recovery token that an administrator issued: the transaction begins as a recovery of its user. */
  readonly recoveryTokenId?: string | undefined
  /** The activation token of a user who has no password yet: the transaction begins as that user's activation. */
  readonly activationTokenId?: string | undefined
  /**
   * Besides a recovery token: what the owner of a mailbox has proven by the link of a mail, which that token stands for. The recovery ends in
   * a message.
   */
  readonly owner?: {
    readonly authenticator: string
    readonly method: string
    readonly at: number
  }
  /** Set where the app has sent the browser to `authorize`: the engine's own pages lead through it. */
  readonly hosted?: HostedRequest | undefined
  /** Set where it was begun by the classic authentication API: it ends with a session token, and no page leads through it. */
  readonly classic?: ClassicRequest | undefined
}

/** How the answer to `authorize` reaches the app. */
export type ResponseMode = 'query' | 'fragment' | 'form_post' | 'okta_post_message'

/** What belongs to a request that came by a browser. */
export interface HostedRequest {
  readonly responseMode: ResponseMode
  /** With tokens: its words in order, such as `code id_token`. Absent: `code`. */
  readonly responseType?: string
  /** Hash of the secret in the browser's cookie: nothing comes of the request in another one (A80). */
  readonly browser: string
  /** The id of the user whom the app expects (`id_token_hint`): a sign-in of another one gets no code. Absent: any. */
  readonly user?: string
  /** The scopes that its user must have agreed to; absent: none asks for it. */
  readonly consent?: {
    readonly scopes: readonly ConsentScope[]
    /** Asked for even where the user has agreed before (`prompt=consent`). */
    readonly anew?: true
  }
}

/** What belongs to a request of the classic authentication API. */
export interface ClassicRequest {
  /** What the caller is given back unchanged. */
  readonly relayState?: string
  /** What it begins with in place of a sign-in. */
  readonly begins?: 'recovery' | 'unlock'
  /** Mails have their link alone: there is no place to type a code. */
  readonly linkOnly?: true
  /** The caller shows that a password expires soon; absent: the sign-in goes on without a word. */
  readonly warns?: true
  /** Hash of the secret in the cookie of the browser that got the session token: it is good in no other one. Absent: it brought none. */
  readonly browser?: string
}

/** A scope that asks for the user's consent, with what an administrator calls it. */
export interface ConsentScope {
  readonly name: string
  readonly label?: string
  readonly desc?: string
  /** The user may give the others without it. */
  readonly optional?: true
}

/** Where a user comes from: the connection itself, or, where a confidential client vouches for it, what it forwards. */
export interface Origin {
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  readonly deviceToken?: string | undefined
  /** Hash of the secret of a remembered device, as the engine drew it. */
  readonly device?: string | undefined
  /** The accepted languages, the preferred one first: `de-AT,de,en`. */
  readonly locales?: string | undefined
  /** Whether an authenticated confidential client forwarded these values. Others could forge them (A11). */
  readonly vouched: boolean
  /** It named no address: its users are one source (`Source` in limits/). */
  readonly app?: boolean | undefined
}

/** A client's request to sign a user in. Begins with an interaction handle, ends with an interaction code. */
export interface Interaction {
  readonly id: string
  readonly clientId: string
  readonly issuer: string
  readonly redirectUri: string
  /** Empty where a confidential client sent none to `authorize`. */
  readonly codeChallenge: string
  readonly request: InteractionRequest
  readonly origin: Origin
  readonly createdAt: number
  readonly expiresAt: number
  readonly sessionId: string | null
}

/** The columns of an interaction, for stores that join it with tables of their own. */
export const interactionColumns = [
  'id',
  'client_id',
  'issuer',
  'request',
  'redirect_uri',
  'code_challenge',
  'origin',
  'created_at',
  'expires_at',
  'session_id',
] as const satisfies readonly (keyof Row<'interactions'>)[]

export const toInteraction = (
  row: Pick<Row<'interactions'>, (typeof interactionColumns)[number]>,
): Interaction => ({
  id: row.id,
  clientId: row.client_id,
  issuer: row.issuer,
  redirectUri: row.redirect_uri,
  codeChallenge: row.code_challenge,
  request: JSON.parse(row.request) as InteractionRequest,
  origin: JSON.parse(row.origin) as Origin,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  sessionId: row.session_id,
})

/** Begins an interaction. The handle is returned only here: the row has its hash (A43). */
export async function beginInteraction(
  db: Db,
  interaction: Omit<Interaction, 'id' | 'createdAt' | 'expiresAt' | 'sessionId'>,
  context: { readonly random: Random; readonly now: number; readonly lifetimeMs: number },
): Promise<{ readonly id: string; readonly handle: string; readonly interaction: Interaction }> {
  const id = randomId(context.random, 'int')
  const handle = randomToken(context.random)
  const createdAt = context.now
  const expiresAt = context.now + context.lifetimeMs
  await insert(db, 'interactions', [
    {
      id,
      handle_hash: plainHash(handle),
      client_id: interaction.clientId,
      issuer: interaction.issuer,
      request: JSON.stringify(interaction.request),
      redirect_uri: interaction.redirectUri,
      code_challenge: interaction.codeChallenge,
      origin: JSON.stringify(interaction.origin),
      created_at: createdAt,
      expires_at: expiresAt,
      code_hash: null,
      code_expires_at: null,
      code_used_at: null,
      session_id: null,
    },
  ])
  return { id, handle, interaction: { ...interaction, id, createdAt, expiresAt, sessionId: null } }
}

/** The interaction of a handle, unless it has expired. */
export async function findInteractionByHandle(
  db: Db,
  handle: string,
  now: number,
): Promise<Interaction | undefined> {
  const row = await db
    .selectFrom('interactions')
    .selectAll()
    .where('handle_hash', '=', plainHash(handle))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row && toInteraction(row)
}

/** The app of an interaction and its end, as long as its row is there: for the way back once it has expired. */
export async function findReturnByHandle(
  db: Db,
  handle: string,
): Promise<Pick<Interaction, 'clientId' | 'redirectUri'> | undefined> {
  const row = await db
    .selectFrom('interactions')
    .select(['client_id', 'redirect_uri'])
    .where('handle_hash', '=', plainHash(handle))
    .executeTakeFirst()
  return row && { clientId: row.client_id, redirectUri: row.redirect_uri }
}

export async function findInteraction(db: Db, id: string): Promise<Interaction | undefined> {
  const row = await db.selectFrom('interactions').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toInteraction(row)
}

/** Whether the code of a completed interaction was made: it was handed out with that. */
export async function hasCode(db: Db, id: string): Promise<boolean> {
  const text = 'select 1 as found from interactions where id = $1 and code_hash is not null'
  return (await run<{ found: number }>(db, text, [id])).length > 0
}

/** Which of these handles is that of an interaction; undefined: none. */
export async function handleOf(db: Db, id: string, handles: readonly string[]): Promise<string | undefined> {
  if (handles.length === 0) return undefined
  const text = 'select handle_hash from interactions where id = $1'
  const [row] = await run<Pick<Row<'interactions'>, 'handle_hash'>>(db, text, [id])
  return row && handles.find((handle) => plainHash(handle) === row.handle_hash)
}

/** Leaves only these scopes of a request: its user has left out the others. */
export async function narrowInteraction(db: Db, { id, request }: Interaction, scope: string): Promise<void> {
  const text = 'update interactions set request = $2 where id = $1'
  await run(db, text, [id, JSON.stringify({ ...request, scope })])
}

/** Moves the expiry of an interaction, for a transaction that starts over. */
export async function extendInteraction(db: Db, id: string, expiresAt: number): Promise<void> {
  await db.updateTable('interactions').set({ expires_at: expiresAt }).where('id', '=', id).execute()
}

export const newInteractionCode = (random: Random): string => randomToken(random)

/** Completes an interaction with the code to redeem. Rejects with `twice()` where it was completed before. */
export function completeInteraction(
  tx: Tx,
  id: string,
  {
    code,
    codeExpiresAt,
    sessionId,
  }: Readonly<Record<'code' | 'sessionId', string> & { codeExpiresAt: number }>,
  { secrets, twice }: { readonly secrets: Secrets; readonly twice: () => Error },
): Promise<void> {
  const text = `update interactions set code_hash = $1, code_expires_at = $2, session_id = $3
    where id = $4 and code_hash is null`
  return decide(tx, { text, parameters: [hashCode(secrets, code), codeExpiresAt, sessionId, id] }, twice)
}

/** The same of an interaction that a browser brought: the code is made where the browser comes back. */
export function completeHosted(tx: Tx, id: string, sessionId: string, twice: () => Error): Promise<void> {
  const text =
    'update interactions set session_id = $2 where id = $1 and session_id is null and code_hash is null'
  return decide(tx, { text, parameters: [id, sessionId] }, twice)
}

/**
 * Makes the authorization code of a completed interaction, once. Rejects with `otherwise()` where it was made before, or nothing was
 * completed.
 */
export function issueAuthorizationCode(
  tx: Tx,
  { id, code, expiresAt }: { readonly id: string; readonly code: string; readonly expiresAt: number },
  { secrets, otherwise }: { readonly secrets: Secrets; readonly otherwise: () => Error },
): Promise<void> {
  const text = `update interactions set code_hash = $2, code_expires_at = $3
    where id = $1 and session_id is not null and code_hash is null`
  const parameters = [id, secrets.hash(purposes.authorization, code), expiresAt]
  return decide(tx, { text, parameters }, otherwise)
}

/**
 * Makes the session token of an interaction that the classic authentication API has completed, once, and binds it to a browser where one is
 * known. False where it was made before, or nothing was completed.
 */
export async function issueSessionToken(
  db: Db,
  { id, request }: Pick<Interaction, 'id' | 'request'>,
  { token, expiresAt }: { readonly token: string; readonly expiresAt: number },
  secrets: Secrets,
): Promise<boolean> {
  const text = `update interactions set code_hash = $2, code_expires_at = $3, request = $4
    where id = $1 and session_id is not null and code_hash is null returning id`
  const values = [id, secrets.hash(purposes.session, token), expiresAt, JSON.stringify(request)]
  return (await run<{ id: string }>(db, text, values)).length > 0
}

/** Which of the two codes: neither can be redeemed as the other. */
export type CodeKind = 'interaction' | 'authorization'

/** The same with the session token of the classic authentication API, which is no code of an app. */
type AnyKind = CodeKind | 'session'

const purposes = {
  interaction: 'interaction code',
  authorization: 'authorization code',
  session: 'session token',
} as const

/** The hashes that a code may be stored under, one for each secret. */
export const interactionCodeHashes = (
  secrets: Secrets,
  code: string,
  kind: AnyKind = 'interaction',
): readonly string[] => secrets.hashes(purposes[kind], code)

const hashCode = (secrets: Secrets, code: string): string => secrets.hash(purposes.interaction, code)

/** Reads the interaction of a code, for the exchange recorder. To redeem a code use `redeemInteractionCode` only. */
export async function findInteractionByCode(
  db: Db,
  code: string,
  secrets: Secrets,
  kind: AnyKind = 'interaction',
): Promise<
  | { readonly interaction: Interaction; readonly usedAt: number | null; readonly expiresAt: number }
  | undefined
> {
  const row = await db
    .selectFrom('interactions')
    .selectAll()
    .where('code_hash', 'in', interactionCodeHashes(secrets, code, kind))
    .executeTakeFirst()
  return (
    row && { interaction: toInteraction(row), usedAt: row.code_used_at, expiresAt: row.code_expires_at ?? 0 }
  )
}

/** Whether a code verifier matches the challenge of an interaction (RFC 7636, section 4.6). */
export const isVerifierOf = ({ codeChallenge }: Interaction, codeVerifier: string): boolean =>
  codeChallenge === challengeOf(codeVerifier)

/** A verifier where none was asked for is wrong, as none is where one was: neither side loses PKCE unnoticed (A72, RFC 9700 2.1.1). */
const challengeOf = (codeVerifier: string | undefined): string =>
  codeVerifier === undefined || codeVerifier === '' ? '' : s256(codeVerifier)

type Redemption =
  | { readonly result: 'redeemed'; readonly interaction: Interaction }
  | { readonly result: 'used'; readonly interaction: Interaction }
  | {
      readonly result: 'refused'
      readonly reason: 'unknown' | 'expired' | 'client' | 'redirect_uri' | 'verifier'
    }

/**
 * Redeems an interaction code. All conditions are in one conditional statement: of parallel calls one succeeds (A12), and
 * a wrong verifier does not use the code up (A31).
 */
export async function redeemInteractionCode(
  db: Db,
  claim: {
    readonly code: string
    readonly clientId: string
    readonly issuer: string
    readonly redirectUri: string | undefined
    /** Absent: none was sent, which is right where no challenge was. */
    readonly codeVerifier: string | undefined
    /** Default: `interaction`. */
    readonly kind?: AnyKind
  },
  context: { readonly secrets: Secrets; readonly now: number },
): Promise<Redemption> {
  const hashes = interactionCodeHashes(context.secrets, claim.code, claim.kind)
  const { clientId, issuer, redirectUri = null, codeVerifier } = claim
  const text = `
    update interactions set code_used_at = $1
    where code_hash in (${slots(hashes, 6)})
      and client_id = $2
      and issuer = $3
      and code_challenge = $4
      and code_expires_at > $1
      and code_used_at is null
      and (cast($5 as text) is null or redirect_uri = $5)
    returning *`
  const parameters = [context.now, clientId, issuer, challengeOf(codeVerifier), redirectUri, ...hashes]
  const [redeemed] = await run<Row<'interactions'>>(db, text, parameters)
  if (redeemed !== undefined) return { result: 'redeemed', interaction: toInteraction(redeemed) }

  const row = await db
    .selectFrom('interactions')
    .selectAll()
    .where('code_hash', 'in', hashes)
    .executeTakeFirst()
  if (row === undefined) {
    // A code of a node with a newer secret is not lost: it is redeemed where that secret is configured.
    await refuseMissingSecret(db, context.secrets)
    return { result: 'refused', reason: 'unknown' }
  }
  if (row.client_id !== claim.clientId || row.issuer !== claim.issuer)
    return { result: 'refused', reason: 'client' }
  if (row.code_used_at !== null) return { result: 'used', interaction: toInteraction(row) }
  if ((row.code_expires_at ?? 0) <= context.now) return { result: 'refused', reason: 'expired' }
  if (claim.redirectUri !== undefined && row.redirect_uri !== claim.redirectUri) {
    return { result: 'refused', reason: 'redirect_uri' }
  }
  return { result: 'refused', reason: 'verifier' }
}

/** Whether interactions are stored that have begun since then. */
export async function hasInteractionsSince(db: Db, since: number): Promise<boolean> {
  const text = 'select 1 as found from interactions where created_at > $1 limit 1'
  return (await run<{ found: number }>(db, text, [since])).length > 0
}

/** The apps that have begun interactions since then without naming the address of their user (`Origin.app`). */
export async function appsWithoutAddress(db: Db, since: number): Promise<readonly string[]> {
  const text = `
    select distinct client_id as id from interactions where created_at > $1 and origin like '%"app":true%' order by id`
  return (await run<{ id: string }>(db, text, [since])).map(({ id }) => id)
}
