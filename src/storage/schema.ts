import type { Generated, Insertable, Selectable } from 'kysely'

/**
 * Every table, in the portable subset that both databases keep alike: ids and JSON as text, times as epoch
 * milliseconds, flags as 0 and 1, compare keys in columns of their own. The migrations create exactly this.
 */
export interface Schema {
  readonly people: PeopleTable
  readonly names: NamesTable
  readonly enrollments: EnrollmentsTable
  readonly person_tokens: PersonTokensTable
  readonly groups: GroupsTable
  readonly memberships: MembershipsTable
  readonly clients: ClientsTable
  readonly client_groups: ClientGroupsTable
  readonly client_people: ClientPeopleTable
  readonly client_scopes: ClientScopesTable
  readonly trusted_origins: TrustedOriginsTable
  readonly policies: PoliciesTable
  readonly policy_rules: PolicyRulesTable
  readonly sessions: SessionsTable
  readonly interactions: InteractionsTable
  readonly transactions: TransactionsTable
  readonly artifacts: ArtifactsTable
  readonly signing_keys: SigningKeysTable
  readonly outbox: OutboxTable
  readonly mail_suppressions: MailSuppressionsTable
  readonly budgets: BudgetsTable
  readonly events: EventsTable
  readonly api_tokens: ApiTokensTable
  readonly settings: SettingsTable
}

interface PeopleTable {
  id: string
  status: string
  login: string
  login_key: string
  email: string
  email_key: string
  /** Names as they are compared: for searching. */
  first_key: string
  last_key: string
  profile: string
  created_at: number
  updated_at: number
  status_changed_at: number
  password_changed_at: number | null
  last_login_at: number | null
  /** Counts changes of a secret, the status, the login or the email; a new row begins with 1. */
  version: Generated<number>
  /** Keyed hashes of sources of sign-ins, newest first, with blanks between; at most ten. */
  known_sources: string | null
}

/** To whom a name leads: logins and emails of all users in one namespace. */
interface NamesTable {
  /** The login or email as it is compared. */
  key: string
  person_id: string
}

interface EnrollmentsTable {
  id: string
  person_id: string
  authenticator: string
  /** Empty where a user has one of its kind, else the id. */
  slot: string
  method: string
  name: string | null
  status: string
  data: string
  /** Only ever rises. */
  counter: number
  /** Counts changes of the secret or the status. */
  version: number
  created_at: number
  updated_at: number
  last_used_at: number | null
}

interface PersonTokensTable {
  id: string
  person_id: string
  /** `recovery` or `activation`. */
  kind: string
  /** Keyed hash of the token, which is readable in a mail or a response only. */
  hash: string
  created_at: number
  expires_at: number
}

interface GroupsTable {
  id: string
  type: string
  name: string
  name_key: string
  profile: string
  created_at: number
  updated_at: number
}

interface MembershipsTable {
  group_id: string
  person_id: string
}

interface ClientsTable {
  id: string
  label: string
  status: string
  /** JSON list of `{ hash, createdAt }`: several while a secret is being rotated; empty for public clients. */
  secrets: string
  settings: string
  created_at: number
  updated_at: number
}

interface ClientGroupsTable {
  client_id: string
  group_id: string
}

interface ClientPeopleTable {
  client_id: string
  person_id: string
}

interface ClientScopesTable {
  id: string
  client_id: string
  scope: string
  created_by: string
  created_at: number
}

interface TrustedOriginsTable {
  id: string
  name: string
  origin: string
  status: string
  /** JSON list of what it is trusted with: `CORS`, `REDIRECT`. */
  scopes: string
  created_at: number
  updated_at: number
}

interface PoliciesTable {
  id: string
  type: string
  name: string
  status: string
  priority: number
  system: number
  /** The whole policy in the management API's shape. */
  body: string
  created_at: number
  updated_at: number
}

interface PolicyRulesTable {
  id: string
  policy_id: string
  name: string
  status: string
  priority: number
  system: number
  body: string
  created_at: number
  updated_at: number
}

interface SessionsTable {
  id: string
  person_id: string
  client_id: string
  /** JSON: how the user was authenticated, and from where. */
  details: string
  created_at: number
  expires_at: number
  revoked_at: number | null
}

interface InteractionsTable {
  id: string
  handle_hash: string
  client_id: string
  issuer: string
  /** JSON: what the client asked for (scope, state, nonce, redirect URI …). */
  request: string
  redirect_uri: string
  code_challenge: string
  /** JSON: from where and by which browser. */
  origin: string
  created_at: number
  expires_at: number
  code_hash: string | null
  code_expires_at: number | null
  code_used_at: number | null
  session_id: string | null
}

interface TransactionsTable {
  id: string
  interaction_id: string
  /** Which transaction of the interaction this is: cancelling closes one and opens the next. */
  turn: number
  client_id: string
  state_hash: string
  key_version: string
  progress: string
  version: number
  /** The user of the transaction, once named: one statement ends all live codes of a user. */
  person_id: string | null
  /** Hash of the open challenge's magic link. */
  link_hash: string | null
  created_at: number
  updated_at: number
  expires_at: number
  closed_at: number | null
  /** The rule that ended the transaction, by its name in the system log. */
  ended_by: string | null
  /** JSON: the steps that were taken, the newest last; bounded in length, nothing secret. */
  walked: string
}

interface ArtifactsTable {
  /** The OAuth library's model and the hash of the artifact's id. */
  id: string
  model: string
  payload: string
  grant_id: string | null
  session_id: string | null
  created_at: number
  expires_at: number | null
  consumed_at: number | null
}

interface SigningKeysTable {
  kid: string
  alg: string
  public_jwk: string
  /** The private JWK, sealed under the master secret. */
  sealed_jwk: string
  created_at: number
  retired_at: number | null
}

interface OutboxTable {
  id: string
  template: string
  /** Null: a phantom, a mail for an unknown user, which costs the same writes. */
  recipient: string | null
  person_id: string | null
  transaction_id: string | null
  /** Template variables, sealed; emptied once the mail is delivered or has expired. A refused one can be retried for a day. */
  sealed: string | null
  status: string
  attempts: number
  /** When it is to be tried next; while a worker has it, when that worker's lease runs out. */
  next_at: number
  lease_owner: string | null
  created_at: number
  /** After this a mail is not sent any more, but closed as expired. */
  ends_at: number
  done_at: number | null
  error: string | null
  /** Keyed hash of the source that caused it; null: the engine itself, or an administrator. */
  source: string | null
  /** Its place in the order of the queue, as a time: mails of one source follow each other by a second. */
  fair_at: number
  /** How often the whole message was sent and no answer came. */
  unanswered: Generated<number>
}

/** Addresses that no mail is sent to for a while: a mail server has refused them for good. */
interface MailSuppressionsTable {
  /** The address as it is compared. */
  key: string
  address: string
  person_id: string | null
  /** What the mail server answered. */
  reason: string
  created_at: number
  expires_at: number
}

interface BudgetsTable {
  key: string
  used: number
  expires_at: number
}

interface EventsTable {
  id: string
  published_at: number
  /** Distinguishes events of one millisecond: the order in which their process recorded them. */
  ordinal: number
  type: string
  outcome: string
  actor_id: string | null
  target_id: string | null
  transaction_id: string | null
  body: string
}

interface ApiTokensTable {
  id: string
  name: string
  role: string
  /** Keyed hash of the token, which was shown once. */
  hash: string
  created_by: string
  created_at: number
  last_used_at: number | null
}

interface SettingsTable {
  key: string
  value: string
}

export type Row<Table extends keyof Schema> = Selectable<Schema[Table]>
export type NewRow<Table extends keyof Schema> = Insertable<Schema[Table]>
