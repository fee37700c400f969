import { ProtocolError } from '../base/index.ts'
import { claimNames, compareKey, nameColumns, type Profile, personStatuses } from '../directory/index.ts'
import type { Schema, Tx } from '../storage/index.ts'

/** The version of the file format. An engine reads its own version and older ones. */
export const formatVersion = 1

/** The longest line that is accepted, in characters. */
export const longestLine = 1024 * 1024

type Type = 'text' | 'number' | 'json'
/** A row in a file: JSON columns are nested values. */
export type Line = Readonly<Record<string, unknown>>
/** A row in the database: JSON columns are strings. */
export type Stored = Readonly<Record<string, string | number | null>>

/** How the rows of a table are exported and imported. */
export interface Table {
  readonly name: keyof Schema
  /** What its rows are called in messages: one of them, and several. */
  readonly label: readonly [one: string, several: string]
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, Type>>
  /** Columns that may be null. */
  readonly nullable?: readonly string[]
  /** Adds columns that are derived from others. Throws if the row is invalid. */
  readonly derive?: (row: Stored, line: Line) => Stored
  /** Writes what belongs to a row, new or replaced. Throws if the row is invalid. */
  readonly written?: (tx: Tx, row: Stored, before: Stored | undefined) => Promise<void>
  /** Foreign keys, by column. A row without its parent is refused. */
  readonly parents?: Readonly<Record<string, keyof Schema>>
  /** Restricts the export to rows whose key matches. */
  readonly keyPattern?: RegExp
  /** The identity of a built-in row, whose id differs from database to database; undefined for other rows. */
  readonly builtIn?: (row: Stored) => string | undefined
}

const times = { created_at: 'number', updated_at: 'number' } as const

const refuse = (why: string): never => {
  throw new ProtocolError(400, 'E0000001', why, { causes: [why] })
}

const profileOf = (row: Stored): Profile => JSON.parse(String(row.profile)) as Profile

const systemIdentity = (row: Stored): string | undefined =>
  row.system === 1 ? `${row.policy_id ?? row.type} ${row.name}` : undefined

/** The exported tables by the `kind` of their lines, in the order of the file: parents come before their children. */
export const tables: Readonly<Record<string, Table>> = {
  setting: {
    name: 'settings',
    label: ['setting', 'settings'],
    key: ['key'],
    columns: { key: 'text', value: 'text' },
    keyPattern: /^(schema|authenticators?)\./,
  },
  group: {
    name: 'groups',
    label: ['group', 'groups'],
    key: ['id'],
    columns: { id: 'text', type: 'text', name: 'text', profile: 'json', ...times },
    derive: (row) => ({ ...row, name_key: compareKey(String(row.name)) }),
    builtIn: (row) => (row.type === 'BUILT_IN' ? String(row.name) : undefined),
  },
  person: {
    name: 'people',
    label: ['user', 'users'],
    key: ['id'],
    columns: {
      id: 'text',
      status: 'text',
      profile: 'json',
      ...times,
      status_changed_at: 'number',
      password_changed_at: 'number',
      last_login_at: 'number',
    },
    nullable: ['password_changed_at', 'last_login_at'],
    derive(row, line) {
      if (!personStatuses.some((status) => status === row.status)) refuse('status: is not a user status')
      return { ...row, ...nameColumns(line.profile as Profile) }
    },
    written: (tx, row, before) => claimNames(tx, String(row.id), profileOf(row), before && profileOf(before)),
  },
  enrollment: {
    name: 'enrollments',
    label: ['enrollment', 'enrollments'],
    key: ['id'],
    columns: {
      id: 'text',
      person_id: 'text',
      authenticator: 'text',
      slot: 'text',
      method: 'text',
      name: 'text',
      status: 'text',
      data: 'json',
      counter: 'number',
      version: 'number',
      ...times,
      last_used_at: 'number',
    },
    nullable: ['name', 'last_used_at'],
    parents: { person_id: 'people' },
  },
  membership: {
    name: 'memberships',
    label: ['membership', 'memberships'],
    key: ['group_id', 'person_id'],
    columns: { group_id: 'text', person_id: 'text' },
    parents: { group_id: 'groups', person_id: 'people' },
  },
  client: {
    name: 'clients',
    label: ['app', 'apps'],
    key: ['id'],
    columns: { id: 'text', label: 'text', status: 'text', secrets: 'json', settings: 'json', ...times },
  },
  clientGroup: {
    name: 'client_groups',
    label: ['group of an app', 'groups of apps'],
    key: ['client_id', 'group_id'],
    columns: { client_id: 'text', group_id: 'text' },
    parents: { client_id: 'clients', group_id: 'groups' },
  },
  clientPerson: {
    name: 'client_people',
    label: ['user of an app', 'users of apps'],
    key: ['client_id', 'person_id'],
    columns: { client_id: 'text', person_id: 'text' },
    parents: { client_id: 'clients', person_id: 'people' },
  },
  clientScope: {
    name: 'client_scopes',
    label: ['scope of an app', 'scopes of apps'],
    key: ['id'],
    columns: { id: 'text', client_id: 'text', scope: 'text', created_by: 'text', created_at: 'number' },
    parents: { client_id: 'clients' },
  },
  trustedOrigin: {
    name: 'trusted_origins',
    label: ['trusted origin', 'trusted origins'],
    key: ['id'],
    columns: { id: 'text', name: 'text', origin: 'text', status: 'text', scopes: 'json', ...times },
  },
  policy: {
    name: 'policies',
    label: ['policy', 'policies'],
    key: ['id'],
    columns: {
      id: 'text',
      type: 'text',
      name: 'text',
      status: 'text',
      priority: 'number',
      system: 'number',
      body: 'json',
      ...times,
    },
    builtIn: systemIdentity,
  },
  policyRule: {
    name: 'policy_rules',
    label: ['rule', 'rules'],
    key: ['id'],
    columns: {
      id: 'text',
      policy_id: 'text',
      name: 'text',
      status: 'text',
      priority: 'number',
      system: 'number',
      body: 'json',
      ...times,
    },
    parents: { policy_id: 'policies' },
    builtIn: systemIdentity,
  },
}

/** A number of rows of a kind, in words: `2 groups`. */
export function labelOf(kind: string, count: number): string {
  const [one, several] = tables[kind]?.label ?? [kind, kind]
  return `${count} ${count === 1 ? one : several}`
}

/** Converts a row of the database to a line. */
export function lineOf(name: string, { columns }: Table, row: Readonly<Record<string, unknown>>): string {
  const line: Record<string, unknown> = { kind: name }
  for (const [column, type] of Object.entries(columns)) {
    const value = row[column]
    // The PostgreSQL driver returns long integers as strings.
    line[column] =
      value === null
        ? null
        : type === 'json'
          ? JSON.parse(String(value))
          : type === 'number'
            ? Number(value)
            : value
  }
  return JSON.stringify(line)
}

/** Converts a line to a row of the database. Throws if it is invalid; the message contains no value of the line. */
export function rowOf({ columns, nullable = [], derive }: Table, line: Line): Stored {
  const row: Record<string, string | number | null> = {}
  for (const name of Object.keys(line)) {
    if (name !== 'kind' && !Object.hasOwn(columns, name))
      refuse(`${name.slice(0, 40)}: there is no such member`)
  }
  for (const [column, type] of Object.entries(columns)) {
    const value = line[column]
    if (value === null && nullable.includes(column)) row[column] = null
    else if (type === 'text' && typeof value === 'string' && isStorable(value)) row[column] = value
    else if (type === 'number' && Number.isSafeInteger(value)) row[column] = value as number
    else if (type === 'json' && typeof value === 'object' && value !== null && isStorable(value))
      row[column] = JSON.stringify(value)
    else
      refuse(
        `${column}: ${value === undefined ? 'is missing' : `must be ${type === 'json' ? 'an object' : `a ${type}`}`}`,
      )
  }
  return derive?.(row, line) ?? row
}

/** Whether PostgreSQL can store all strings in a value: no NUL characters, no lone surrogates. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isStorable(name) && isStorable(member))
}

/** The prefix of an enrollment's id by authenticator, as credentials of older exports had none. */
const prefixes: Readonly<Record<string, string>> = { okta_password: 'lae', security_question: 'qae' }

/** Lines of older exports as those of today: credentials were what enrollments are now. */
export function upgradedLine(line: Line): Line {
  if (line.kind !== 'credential') return line
  const { person_id: personId, authenticator } = line
  return {
    ...line,
    kind: 'enrollment',
    id: `${prefixes[String(authenticator)] ?? 'fae'}${String(personId).slice(3)}`,
    slot: '',
    method: String(authenticator).replace('okta_', ''),
    name: null,
    status: 'ACTIVE',
    counter: 0,
    version: 1,
    last_used_at: null,
  }
}
