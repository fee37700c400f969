import type { Generated, Insertable, Selectable } from 'kysely'

/** A column: its type, and what other parts of the engine do with it. */
interface Column<Value = unknown> {
  readonly type: 'text' | 'json' | 'integer' | 'time'
  readonly nullable: boolean
  /** Whether it is part of an export. Others are derived from exported ones, or belong to one database. */
  readonly exported: boolean
  /** Whether older exports do not have it: absent is null. */
  readonly later?: true
  /** Of times: what a rebase of the clock does (`rebaseTime`). */
  readonly rebased?: Rebased
  /** For types only: never set. */
  readonly value?: Value
}

/**
 * What a rebase of the clock does with a time.
 *
 * - `end`: the end of something, or when it is due. It is moved with the time.
 * - `moment`: when something happened. What lies after the new time is set to it.
 * - `stays`: only shown. Also the system log, which stays as it was written.
 */
export type Rebased = 'end' | 'moment' | 'stays'

type TimeColumn = Column<number> | Column<number | null>

const text: Column<string> = { type: 'text', nullable: false, exported: true }
/** JSON as text. */
const json: Column<string> = { ...text, type: 'json' }
const integer: Column<number> = { type: 'integer', nullable: false, exported: true }
/** An integer that the database sets in new rows. */
const counted: Column<Generated<number>> = { type: 'integer', nullable: false, exported: true }
/** A text that the database sets in new rows. */
const preset: Column<Generated<string>> = { type: 'text', nullable: false, exported: true }
/** Epoch milliseconds. */
const time = (rebased: Rebased): Column<number> & { readonly rebased: Rebased } => ({
  type: 'time',
  nullable: false,
  exported: true,
  rebased,
})
const nullable = <Value>(column: Column<Value>): Column<Value | null> => ({
  ...(column as Column<Value | null>),
  nullable: true,
})
const unexported = <Value>(column: Column<Value>): Column<Value> => ({ ...column, exported: false })

const later = <Value>(column: Column<Value>): Column<Value> => ({ ...column, later: true })

interface TableFacts<Name extends string> {
  /** What exports call a row, its primary key, and the tables that columns refer to. */
  readonly exported?: {
    readonly kind: string
    readonly key: readonly Name[]
    readonly parents?: Readonly<Record<string, string>>
  }
  /** Of tables that grow with use: the column that holds the end of a row's time, and the primary key. */
  readonly grows?: { readonly until: Name; readonly key: Name }
}

/** A table. A column whose name ends with `_at` and that is no time does not compile. */
const table = <
  const Columns extends {
    readonly [Name in keyof Columns]: Name extends `${string}_at` ? TimeColumn : Column
  },
  const Facts extends TableFacts<keyof Columns & string>,
>(
  columns: Columns,
  facts: Facts = {} as Facts,
) => ({ columns, facts })

/**
 * Every table, in the portable subset that both databases keep alike: ids and JSON as text, times as epoch
 * milliseconds, flags as 0 and 1, compare keys in columns of their own. The migrations create exactly this; the types of
 * rows, exports, the purge and the rebase of the clock are derived from it.
 */
export const tables = {
  people: table(
    {
      id: text,
      status: text,
      login: unexported(text),
      login_key: unexported(text),
      email: unexported(text),
      email_key: unexported(text),
      /** Names as they are compared: for searching. */
      first_key: unexported(text),
      last_key: unexported(text),
      profile: json,
      created_at: time('moment'),
      updated_at: time('moment'),
      status_changed_at: time('moment'),
      password_changed_at: nullable(time('moment')),
      last_login_at: nullable(time('moment')),
      /** When the user has proven to read the mails of `verified_email_key`. */
      email_verified_at: later(nullable(time('moment'))),
      /** The address that was proven, as it is compared: it counts while it is `email_key`. */
      verified_email_key: later(nullable(text)),
      /** When the user last set a password by a recovery. */
      recovered_at: later(nullable(time('moment'))),
      /** When the user has proven to read the mails of `verified_second_email_key`. */
      second_email_verified_at: later(nullable(time('moment'))),
      /** The secondary address that was proven, as it is compared: it counts while it is the profile's. */
      verified_second_email_key: later(nullable(text)),
      /** Since when a sign-up that made the user waits for its end. */
      unfinished_at: later(nullable(time('moment'))),
      /** The version of the terms that the user has agreed to, and when. */
      terms_version: later(nullable(text)),
      terms_agreed_at: later(nullable(time('moment'))),
      /** Counts changes of a secret, the status, the login or the email; a new row begins with 1. */
      version: unexported(counted),
      /** Keyed hashes of sources of sign-ins, newest first, with blanks between; at most ten. */
      known_sources: unexported(nullable(text)),
    },
    { exported: { kind: 'person', key: ['id'] } },
  ),
  /** To whom a name leads: logins and emails of all users in one namespace. */
  names: table({
    /** The login or email as it is compared. */
    key: text,
    person_id: text,
  }),
  enrollments: table(
    {
      id: text,
      person_id: text,
      authenticator: text,
      /** Empty where a user has one of its kind, else the id, or what no two users may have: of a passkey a hash of its id. */
      slot: text,
      method: text,
      name: nullable(text),
      status: text,
      data: json,
      /** Only ever rises. */
      counter: integer,
      /** Counts changes of the secret or the status. */
      version: integer,
      /** Random, by what an authenticator names its user. */
      handle: later(nullable(text)),
      /** From when it counts, where its user added it without having proven an older one; null: at once. */
      settles_at: later(nullable(time('end'))),
      created_at: time('moment'),
      updated_at: time('moment'),
      last_used_at: nullable(time('moment')),
    },
    { exported: { kind: 'enrollment', key: ['id'], parents: { person_id: 'people' } } },
  ),
  /** How often a user has put off a required enrolment. */
  enrollment_skips: table({
    person_id: text,
    authenticator: text,
    skips: integer,
    updated_at: time('moment'),
  }),
  /** Devices on which a second factor was proven. Not exported: their secrets belong to one installation. */
  remembered_devices: table(
    {
      id: text,
      person_id: text,
      client_id: text,
      /** Keyed hash of the secret, which only the browser or the app has. */
      hash: text,
      /** The user's version when it was remembered: with a later one it counts no more. */
      person_version: integer,
      /** What was proven besides the first factor, and when. */
      evidence: json,
      created_at: time('moment'),
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  person_tokens: table(
    {
      id: text,
      person_id: text,
      /** `recovery` or `activation`. */
      kind: text,
      /** Keyed hash of the token, which is readable in a mail or a response only. */
      hash: text,
      /** The address that it was mailed to, as it is compared; null: it was handed to a caller. */
      mailed_to_key: nullable(text),
      created_at: time('stays'),
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  /** What the factors API has begun and nothing has answered yet. Not exported: it is begun again. */
  factor_challenges: table(
    {
      id: text,
      person_id: text,
      /** As the factors API calls what it is about. */
      factor_id: text,
      /** Of the enrollment that it is, or will be. */
      enrollment_id: text,
      authenticator: text,
      method: text,
      /** `activate` or `verify`. */
      purpose: text,
      data: json,
      version: integer,
      created_at: time('stays'),
      updated_at: time('stays'),
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  /** Changes that a user has asked for, and that wait. */
  account_changes: table(
    {
      id: text,
      person_id: text,
      kind: text,
      /** `UNVERIFIED`: a code is missing. `WAITING`: it is carried out at `due_at`. Others are over. */
      status: text,
      /** What it is about, as it is compared: an address, the id of an enrollment. One row each and user. */
      target_key: text,
      data: json,
      challenge_id: nullable(text),
      /** Keyed hash of the code that was sent. */
      code_hash: nullable(text),
      code_ends_at: nullable(time('end')),
      /** Wrong codes. */
      attempts: counted,
      /** Hash of the token of the link that stops it. */
      stop_hash: nullable(text),
      created_at: time('moment'),
      due_at: nullable(time('end')),
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  groups: table(
    {
      id: text,
      type: text,
      name: text,
      name_key: unexported(text),
      profile: json,
      created_at: time('stays'),
      updated_at: time('stays'),
      /** Null: never since it is noted. Not noted for Everyone, whose row each new user would wait for. */
      membership_updated_at: later(nullable(time('stays'))),
    },
    { exported: { kind: 'group', key: ['id'] } },
  ),
  memberships: table(
    {
      group_id: text,
      person_id: text,
    },
    {
      exported: {
        kind: 'membership',
        key: ['group_id', 'person_id'],
        parents: { group_id: 'groups', person_id: 'people' },
      },
    },
  ),
  clients: table(
    {
      id: text,
      label: text,
      status: text,
      /** A list of `{ hash, createdAt }`: several while a secret is being rotated; empty for public clients. */
      secrets: json,
      settings: json,
      created_at: time('stays'),
      updated_at: time('stays'),
    },
    { exported: { kind: 'client', key: ['id'] } },
  ),
  client_groups: table(
    {
      client_id: text,
      group_id: text,
      /** Null: 0. */
      priority: later(nullable(integer)),
      /** Null: empty. */
      profile: later(nullable(json)),
      created_at: later(nullable(time('stays'))),
    },
    {
      exported: {
        kind: 'clientGroup',
        key: ['client_id', 'group_id'],
        parents: { client_id: 'clients', group_id: 'groups' },
      },
    },
  ),
  client_people: table(
    {
      client_id: text,
      person_id: text,
      /** Null: empty. */
      profile: later(nullable(json)),
      created_at: later(nullable(time('stays'))),
    },
    {
      exported: {
        kind: 'clientPerson',
        key: ['client_id', 'person_id'],
        parents: { client_id: 'clients', person_id: 'people' },
      },
    },
  ),
  client_scopes: table(
    {
      id: text,
      client_id: text,
      scope: text,
      created_by: text,
      created_at: time('stays'),
    },
    { exported: { kind: 'clientScope', key: ['id'], parents: { client_id: 'clients' } } },
  ),
  /** What users have agreed that an app gets of them. */
  user_consents: table(
    {
      id: text,
      person_id: text,
      client_id: text,
      scope: text,
      created_at: time('stays'),
    },
    {
      exported: {
        kind: 'userConsent',
        key: ['id'],
        parents: { person_id: 'people', client_id: 'clients' },
      },
    },
  ),
  trusted_origins: table(
    {
      id: text,
      name: text,
      origin: text,
      status: text,
      /** A list of what it is trusted with: `CORS`, `REDIRECT`. */
      scopes: json,
      created_at: time('stays'),
      updated_at: time('stays'),
    },
    { exported: { kind: 'trustedOrigin', key: ['id'] } },
  ),
  policies: table(
    {
      id: text,
      type: text,
      name: text,
      status: text,
      priority: integer,
      system: integer,
      /** The whole policy in the management API's shape. */
      body: json,
      created_at: time('stays'),
      updated_at: time('stays'),
    },
    { exported: { kind: 'policy', key: ['id'] } },
  ),
  policy_rules: table(
    {
      id: text,
      policy_id: text,
      name: text,
      status: text,
      priority: integer,
      system: integer,
      body: json,
      created_at: time('stays'),
      updated_at: time('stays'),
    },
    { exported: { kind: 'policyRule', key: ['id'], parents: { policy_id: 'policies' } } },
  ),
  sessions: table(
    {
      id: text,
      person_id: text,
      client_id: text,
      /** How the user was authenticated, and from where. */
      details: json,
      created_at: time('moment'),
      expires_at: time('end'),
      revoked_at: nullable(time('stays')),
      /** Of a browser's session: the hash of what its cookie has. Null: the session of an app. */
      cookie_hash: nullable(text),
      /** When a browser's session was last used. */
      used_at: nullable(time('moment')),
      /** Of the session of an app: the browser's that it came of. */
      parent_id: nullable(text),
      /** Since when its end is to be queued for its app, or for those of a browser's session; null: there is nothing to queue. */
      logout_at: nullable(time('end')),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  interactions: table(
    {
      id: text,
      handle_hash: text,
      client_id: text,
      issuer: text,
      /** What the client asked for (scope, state, nonce, redirect URI …). */
      request: json,
      redirect_uri: text,
      code_challenge: text,
      /** From where and by which browser. */
      origin: json,
      created_at: time('stays'),
      expires_at: time('end'),
      code_hash: nullable(text),
      code_expires_at: nullable(time('end')),
      code_used_at: nullable(time('stays')),
      session_id: nullable(text),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  transactions: table(
    {
      id: text,
      interaction_id: text,
      /** Which transaction of the interaction this is: cancelling closes one and opens the next. */
      turn: integer,
      client_id: text,
      state_hash: text,
      key_version: text,
      progress: json,
      version: integer,
      /** The user of the transaction, once named: one statement ends all live codes of a user. */
      person_id: nullable(text),
      /** Hash of the open challenge's magic link. */
      link_hash: nullable(text),
      created_at: time('moment'),
      updated_at: time('moment'),
      expires_at: time('end'),
      closed_at: nullable(time('stays')),
      /** The rule that ended the transaction, by its name in the system log. */
      ended_by: nullable(text),
      /** The steps that were taken, the newest last; bounded in length, nothing secret. */
      walked: json,
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  artifacts: table(
    {
      /** The OAuth library's model and the hash of the artifact's id. */
      id: text,
      model: text,
      payload: json,
      grant_id: nullable(text),
      session_id: nullable(text),
      created_at: time('stays'),
      expires_at: nullable(time('end')),
      consumed_at: nullable(time('stays')),
    },
    { grows: { until: 'expires_at', key: 'id' } },
  ),
  signing_keys: table({
    kid: text,
    alg: text,
    public_jwk: json,
    /** The private JWK, sealed under the master secret. */
    sealed_jwk: text,
    created_at: time('moment'),
    retired_at: nullable(time('moment')),
  }),
  outbox: table(
    {
      id: text,
      template: text,
      /** Null: a phantom, a mail for an unknown user, which costs the same writes. */
      recipient: nullable(text),
      person_id: nullable(text),
      transaction_id: nullable(text),
      /** Template variables, sealed; emptied once the mail is delivered or has expired. A refused one can be retried for a day. */
      sealed: nullable(text),
      status: text,
      attempts: integer,
      /** When it is to be tried next; while a worker has it, when that worker's lease runs out. */
      next_at: time('end'),
      lease_owner: nullable(text),
      created_at: time('moment'),
      /** After this a mail is not sent any more, but closed as expired. */
      ends_at: time('end'),
      done_at: nullable(time('moment')),
      error: nullable(text),
      /** Keyed hash of the source that caused it; null: the engine itself, or an administrator. */
      source: nullable(text),
      /** Its place in the order of the queue, as a time: mails of one source follow each other by a second. */
      fair_at: time('end'),
      /** How often the whole message was sent and no answer came. */
      unanswered: counted,
      /** By what it leaves: `email`, `sms`, `voice`. */
      channel: preset,
    },
    { grows: { until: 'done_at', key: 'id' } },
  ),
  /** Addresses that no mail is sent to for a while: a mail server has refused them for good. */
  mail_suppressions: table(
    {
      /** The address as it is compared. */
      key: text,
      address: text,
      person_id: nullable(text),
      /** What the mail server answered. */
      reason: text,
      created_at: time('moment'),
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'key' } },
  ),
  budgets: table(
    {
      key: text,
      used: integer,
      expires_at: time('end'),
    },
    { grows: { until: 'expires_at', key: 'key' } },
  ),
  events: table(
    {
      id: text,
      published_at: time('stays'),
      /** Distinguishes events of one millisecond: the order in which their process recorded them. */
      ordinal: integer,
      type: text,
      outcome: text,
      actor_id: nullable(text),
      target_id: nullable(text),
      transaction_id: nullable(text),
      body: json,
    },
    { grows: { until: 'published_at', key: 'id' } },
  ),
  api_tokens: table({
    id: text,
    name: text,
    role: text,
    /** Keyed hash of the token, which was shown once. */
    hash: text,
    created_by: text,
    created_at: time('stays'),
    last_used_at: nullable(time('moment')),
  }),
  settings: table(
    {
      key: text,
      value: text,
    },
    { exported: { kind: 'setting', key: ['key'] } },
  ),
} as const

type Tables = typeof tables
type ValueOf<C> = C extends { readonly value?: infer Value } ? Exclude<Value, undefined> : never

/** The tables as Kysely knows them. */
export type Schema = {
  readonly [Name in keyof Tables]: {
    -readonly [Column in keyof Tables[Name]['columns']]: ValueOf<Tables[Name]['columns'][Column]>
  }
}

export type TableName = keyof Tables
export type Row<Table extends TableName> = Selectable<Schema[Table]>
export type NewRow<Table extends TableName> = Insertable<Schema[Table]>

/** The columns of a table, by name. */
export const columnsOf = (name: TableName): Readonly<Record<string, Column>> => tables[name].columns
