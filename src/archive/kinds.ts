import type { Schema } from '../storage/index.ts'

/** `made` is not in the file: it is computed, so that no file can set a compare key that belies its login. */
export type ColumnType = 'text' | 'number' | 'number?' | 'json' | 'made'

export interface Kind {
  readonly kind: string
  readonly table: keyof Schema
  readonly columns: Readonly<Record<string, ColumnType>>
  /** What tells one row from another; the order in which rows are written. */
  readonly key: readonly string[]
  /** Columns that name a row of another table. */
  readonly refers?: Readonly<Record<string, keyof Schema>>
}

/** The settings that are the installation's own; others are notes of a running engine. */
export const settingKeys: readonly string[] = ['policies.seed', 'schema.user', 'resources.seed']

const times = { created_at: 'number', updated_at: 'number' } as const
const id = ['id'] as const

/** In the order of the file: what is referred to stands before what refers to it. */
export const kinds: readonly Kind[] = [
  { kind: 'setting', table: 'settings', key: ['key'], columns: { key: 'text', value: 'text' } },
  {
    kind: 'group',
    table: 'groups',
    key: id,
    columns: { id: 'text', type: 'text', name: 'text', name_key: 'made', profile: 'json', ...times },
  },
  {
    kind: 'person',
    table: 'people',
    key: id,
    columns: {
      id: 'text',
      status: 'text',
      login: 'text',
      login_key: 'made',
      email: 'text',
      email_key: 'made',
      first_key: 'made',
      last_key: 'made',
      profile: 'json',
      ...times,
      status_changed_at: 'number',
      password_changed_at: 'number?',
      last_login_at: 'number?',
    },
  },
  {
    kind: 'credential',
    table: 'credentials',
    key: ['person_id', 'authenticator'],
    columns: { person_id: 'text', authenticator: 'text', data: 'json', ...times },
    refers: { person_id: 'people' },
  },
  {
    kind: 'membership',
    table: 'memberships',
    key: ['group_id', 'person_id'],
    columns: { group_id: 'text', person_id: 'text' },
    refers: { group_id: 'groups', person_id: 'people' },
  },
  {
    kind: 'client',
    table: 'clients',
    key: id,
    columns: { id: 'text', label: 'text', status: 'text', secrets: 'json', settings: 'json', ...times },
  },
  {
    kind: 'client scope',
    table: 'client_scopes',
    key: id,
    columns: { id: 'text', client_id: 'text', scope: 'text', created_by: 'text', created_at: 'number' },
    refers: { client_id: 'clients' },
  },
  {
    kind: 'group assignment',
    table: 'client_groups',
    key: ['client_id', 'group_id'],
    columns: { client_id: 'text', group_id: 'text' },
    refers: { client_id: 'clients', group_id: 'groups' },
  },
  {
    kind: 'person assignment',
    table: 'client_people',
    key: ['client_id', 'person_id'],
    columns: { client_id: 'text', person_id: 'text' },
    refers: { client_id: 'clients', person_id: 'people' },
  },
  {
    kind: 'policy',
    table: 'policies',
    key: id,
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
  },
  {
    kind: 'rule',
    table: 'policy_rules',
    key: id,
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
    refers: { policy_id: 'policies' },
  },
  {
    kind: 'trusted origin',
    table: 'trusted_origins',
    key: id,
    columns: { id: 'text', name: 'text', origin: 'text', status: 'text', scopes: 'json', ...times },
  },
]
