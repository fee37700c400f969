import { apiError, everyText } from '../base/index.ts'
import { claimNames, compareKey, nameColumns, type Profile, personStatuses } from '../directory/index.ts'
import { noteSecondaryEmail } from '../policies/index.ts'
import { columnsOf, tables as schema, type TableName, type Tx } from '../storage/index.ts'

/**
 * The version of the file format: raised with every member that is added to a line, as an older engine refuses lines with
 * members that it does not know, one by one. An engine reads its own version and older ones.
 *
 * 2: `email_verified_at` and `verified_email_key` of users. 3: the priority, profile and time of assignments, and when the members
 * of a group last changed; `recovered_at` and the
 * proven secondary address of users. 4: the terms that a user has agreed to.
 */
export const formatVersion = 4

/** The longest line that is accepted, in characters. */
export const longestLine = 1024 * 1024

/** A row in a file: JSON columns are nested values. */
export type Line = Readonly<Record<string, unknown>>
/** A row in the database: JSON columns are strings. */
export type Stored = Readonly<Record<string, string | number | null>>

/** What the rows of an exported table need besides the facts that `storage/` has of it. */
interface Rules {
  /** What its rows are called in messages: one of them, and several. */
  readonly label: readonly [one: string, several: string]
  /** Adds columns that are derived from others. Throws if the row is invalid. */
  readonly derive?: (row: Stored, line: Line) => Stored
  /** Writes what belongs to a row, new or replaced. Throws if the row is invalid. */
  readonly written?: (tx: Tx, row: Stored, before: Stored | undefined) => Promise<void>
  /** Restricts the export to rows whose key matches. */
  readonly keyPattern?: RegExp
  /** The identity of a built-in row, whose id differs from database to database; undefined for other rows. */
  readonly builtIn?: (row: Stored) => string | undefined
}

/** How the rows of a table are exported and imported. */
export interface Table extends Rules {
  readonly name: TableName
  readonly key: readonly string[]
  /** The exported columns. */
  readonly columns: Readonly<Record<string, Column>>
  /** Foreign keys, by column. A row without its parent is refused. */
  readonly parents?: Readonly<Record<string, TableName>>
}

type Column = ReturnType<typeof columnsOf>[string]

const refuse = (why: string): never => {
  throw apiError('E0000001', { summary: why, causes: [why] })
}

const profileOf = (row: Stored): Profile => JSON.parse(String(row.profile)) as Profile

const systemIdentity = (row: Stored): string | undefined =>
  row.system === 1 ? `${row.policy_id ?? row.type} ${row.name}` : undefined

/** The exported tables by the `kind` of their lines, in the order of the file: parents come before their children. */
const rules: Readonly<Record<ExportedKind, Rules>> = {
  setting: {
    label: ['setting', 'settings'],
    // With the `seed` ones, from which configuration the default policies and resources were written: without them the first start in the
    // new database wrote them again, and undid what administrators had changed, such as a second factor that they ask for.
    keyPattern: /^(schema\.|authenticators?\.|scopes\.|brand\.|(policies|resources)\.seed(\.|$))/,
  },
  group: {
    label: ['group', 'groups'],
    derive: (row) => ({ ...row, name_key: compareKey(String(row.name)) }),
    builtIn: (row) => (row.type === 'BUILT_IN' ? String(row.name) : undefined),
  },
  person: {
    label: ['user', 'users'],
    derive(row, line) {
      if (!personStatuses.some((status) => status === row.status)) refuse('status: is not a user status')
      return { ...row, ...nameColumns(line.profile as Profile) }
    },
    async written(tx, row, before) {
      await claimNames(tx, String(row.id), profileOf(row), before && profileOf(before))
      if (row.verified_second_email_key !== null) await noteSecondaryEmail(tx)
    },
  },
  enrollment: { label: ['enrollment', 'enrollments'] },
  membership: { label: ['membership', 'memberships'] },
  client: { label: ['app', 'apps'] },
  clientGroup: { label: ['group of an app', 'groups of apps'] },
  clientPerson: { label: ['user of an app', 'users of apps'] },
  clientScope: { label: ['scope of an app', 'scopes of apps'] },
  userConsent: { label: ['consent of a user', 'consents of users'] },
  trustedOrigin: { label: ['trusted origin', 'trusted origins'] },
  policy: { label: ['policy', 'policies'], builtIn: systemIdentity },
  policyRule: { label: ['rule', 'rules'], builtIn: systemIdentity },
}

type ExportedKind = {
  [Name in TableName]: (typeof schema)[Name]['facts'] extends {
    readonly exported: { readonly kind: infer Kind }
  }
    ? Kind
    : never
}[TableName]

function exportedTable(kind: ExportedKind): Table {
  for (const [name, { facts }] of schemaTables) {
    if (facts.exported?.kind !== kind) continue
    const columns = Object.entries(columnsOf(name)).filter(([, { exported }]) => exported)
    const { key, parents } = facts.exported
    return { ...rules[kind], name, key, columns: Object.fromEntries(columns), ...(parents && { parents }) }
  }
  throw new Error(`no table exports ${kind}`)
}

interface Exported {
  readonly facts: {
    readonly exported?: {
      readonly kind: string
      readonly key: readonly string[]
      readonly parents?: Readonly<Record<string, TableName>>
    }
  }
}
const schemaTables = Object.entries(schema) as unknown as readonly (readonly [TableName, Exported])[]

export const tables: Readonly<Record<string, Table>> = Object.fromEntries(
  Object.keys(rules).map((kind) => [kind, exportedTable(kind as ExportedKind)]),
)

/** A number of rows of a kind, in words: `2 groups`. */
export function labelOf(kind: string, count: number): string {
  const [one, several] = tables[kind]?.label ?? [kind, kind]
  return `${count} ${count === 1 ? one : several}`
}

/** Converts a row of the database to a line. */
export function lineOf(name: string, { columns }: Table, row: Readonly<Record<string, unknown>>): string {
  const line: Record<string, unknown> = { kind: name }
  for (const [column, { type }] of Object.entries(columns)) {
    const value = row[column]
    // The PostgreSQL driver returns long integers as strings.
    line[column] =
      value === null
        ? null
        : type === 'json'
          ? JSON.parse(String(value))
          : type === 'text'
            ? value
            : Number(value)
  }
  return JSON.stringify(line)
}

/** Converts a line to a row of the database. Throws if it is invalid; the message contains no value of the line. */
export function rowOf({ columns, derive }: Table, line: Line): Stored {
  const row: Record<string, string | number | null> = {}
  for (const name of Object.keys(line)) {
    if (name !== 'kind' && !Object.hasOwn(columns, name))
      refuse(`${name.slice(0, 40)}: there is no such member`)
  }
  for (const [column, { type, nullable, later }] of Object.entries(columns)) {
    const value = line[column] ?? (later ? null : line[column])
    if (value === null && nullable) row[column] = null
    else if (value === undefined) refuse(`${column}: is missing`)
    else if (type === 'text') {
      if (typeof value !== 'string' || !isStorable(value)) refuse(`${column}: must be a text`)
      row[column] = value as string
    } else if (type === 'json') {
      if (typeof value !== 'object' || value === null || !isStorable(value))
        refuse(`${column}: must be an object`)
      row[column] = JSON.stringify(value)
    } else {
      if (!Number.isSafeInteger(value)) refuse(`${column}: must be a number`)
      row[column] = value as number
    }
  }
  return derive?.(row, line) ?? row
}

/** Whether PostgreSQL can store all strings in a value: no NUL characters, no lone surrogates. */
const isStorable = (value: unknown): boolean =>
  everyText(value, (text) => text.isWellFormed() && !text.includes('\0'))

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
