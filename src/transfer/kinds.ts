import { ProtocolError } from '../base/index.ts'
import { claimNames, compareKey, nameColumns, type Profile, personStatuses } from '../directory/index.ts'
import type { Schema, Tx } from '../storage/index.ts'

/** The format of a file; an engine takes its own and older ones. */
export const formatVersion = 1

/** The longest line that is taken, in characters. */
export const longestLine = 1024 * 1024

type Type = 'text' | 'number' | 'json'
/** A row as it stands in a file: JSON columns as what they hold. */
export type Line = Readonly<Record<string, unknown>>
/** A row as it stands in the database. */
export type Stored = Readonly<Record<string, string | number | null>>

export interface Kind {
  readonly table: keyof Schema
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, Type>>
  /** Columns that may be null. */
  readonly nullable?: readonly string[]
  /** Columns that are made of the others, as this engine makes them. Throws what is wrong with a row. */
  readonly derive?: (row: Stored, line: Line) => Stored
  /** What is written with a row, new or in place of the one before. Throws what is wrong with it. */
  readonly written?: (tx: Tx, row: Stored, before: Stored | undefined) => Promise<void>
  /** Whose row it belongs to: a row of nobody is not taken. */
  readonly of?: Readonly<Record<string, keyof Schema>>
  /** Which rows of the table are meant, by the key. */
  readonly only?: RegExp
  /** What was there before anybody did anything, by what it is known: its id differs from database to database. */
  readonly builtIn?: (row: Stored) => string | undefined
}

const times = { created_at: 'number', updated_at: 'number' } as const

const refuse = (why: string): never => {
  throw new ProtocolError(400, 'E0000001', why, { causes: [why] })
}

const profileOf = (row: Stored): Profile => JSON.parse(String(row.profile)) as Profile

const ofSystem = (row: Stored): string | undefined =>
  row.system === 1 ? `${row.policy_id ?? row.type} ${row.name}` : undefined

/** What a file holds, in the order in which it must come: who is referred to stands before who refers. */
export const kinds: Readonly<Record<string, Kind>> = {
  setting: {
    table: 'settings',
    key: ['key'],
    columns: { key: 'text', value: 'text' },
    only: /^(schema|authenticators?)\./,
  },
  group: {
    table: 'groups',
    key: ['id'],
    columns: { id: 'text', type: 'text', name: 'text', profile: 'json', ...times },
    derive: (row) => ({ ...row, name_key: compareKey(String(row.name)) }),
    builtIn: (row) => (row.type === 'BUILT_IN' ? String(row.name) : undefined),
  },
  person: {
    table: 'people',
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
      if (!personStatuses.some((status) => status === row.status)) refuse('status: is none of a person')
      return { ...row, ...nameColumns(line.profile as Profile) }
    },
    written: (tx, row, before) => claimNames(tx, String(row.id), profileOf(row), before && profileOf(before)),
  },
  credential: {
    table: 'credentials',
    key: ['person_id', 'authenticator'],
    columns: { person_id: 'text', authenticator: 'text', data: 'json', ...times },
    of: { person_id: 'people' },
  },
  membership: {
    table: 'memberships',
    key: ['group_id', 'person_id'],
    columns: { group_id: 'text', person_id: 'text' },
    of: { group_id: 'groups', person_id: 'people' },
  },
  client: {
    table: 'clients',
    key: ['id'],
    columns: { id: 'text', label: 'text', status: 'text', secrets: 'json', settings: 'json', ...times },
  },
  clientGroup: {
    table: 'client_groups',
    key: ['client_id', 'group_id'],
    columns: { client_id: 'text', group_id: 'text' },
    of: { client_id: 'clients', group_id: 'groups' },
  },
  clientPerson: {
    table: 'client_people',
    key: ['client_id', 'person_id'],
    columns: { client_id: 'text', person_id: 'text' },
    of: { client_id: 'clients', person_id: 'people' },
  },
  clientScope: {
    table: 'client_scopes',
    key: ['id'],
    columns: { id: 'text', client_id: 'text', scope: 'text', created_by: 'text', created_at: 'number' },
    of: { client_id: 'clients' },
  },
  trustedOrigin: {
    table: 'trusted_origins',
    key: ['id'],
    columns: { id: 'text', name: 'text', origin: 'text', status: 'text', scopes: 'json', ...times },
  },
  policy: {
    table: 'policies',
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
    builtIn: ofSystem,
  },
  policyRule: {
    table: 'policy_rules',
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
    of: { policy_id: 'policies' },
    builtIn: ofSystem,
  },
}

/** A row of the database as a line. */
export function lineOf(name: string, { columns }: Kind, row: Readonly<Record<string, unknown>>): string {
  const line: Record<string, unknown> = { kind: name }
  for (const [column, type] of Object.entries(columns)) {
    const value = row[column]
    // PostgreSQL's driver tells long integers as texts.
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

/** A line as a row of the database. Throws with what is wrong; no value of the line is told. */
export function rowOf({ columns, nullable = [], derive }: Kind, line: Line): Stored {
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

/** What PostgreSQL keeps as it is: no NUL, and no half of a character. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isStorable(name) && isStorable(member))
}
