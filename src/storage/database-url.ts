import { DatabaseUrlError } from './database-url-error.ts'
import { type PostgresAddress, parsePostgresUrl } from './postgres-url.ts'

/** Where the data is. */
export type DatabaseAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | ({ readonly kind: 'postgres' } & PostgresAddress)

/** The accepted forms, for messages. */
export const databaseForms =
  'must be postgres://user:password@host:5432/database (several hosts with commas between them), sqlite:PATH, or memory'

/** Schemes of other products and drivers that are seen in this place. The scheme of any other text may be a secret. */
const otherSchemes =
  /^(jdbc|mysql|mariadb|mongodb(\+srv)?|mssql|sqlserver|oracle|redis|file|https?|cockroachdb):/i

/**
 * Reads the address of a database: `postgres://…` (or `postgresql://…`), `sqlite:PATH`, or `memory`. Schemes are
 * case-insensitive (RFC 3986, section 3.1). Anything else is refused: taken for a file name, a slip such as
 * `rekey-db:5432` or `$DATABASE_URL` would make an empty database, and its data would be lost with the container.
 * @throws DatabaseUrlError which names the accepted forms.
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const text = url.trim()
  if (text === '') throw new DatabaseUrlError(`is blank: it ${databaseForms}`)
  if (/^["'`]|["'`]$/.test(text)) throw new DatabaseUrlError(`has quotes around it; it ${databaseForms}`)
  if (/^(\$|%\w+%$|\{\{|<)|^[a-z]+:(\/\/)?\$\{?\w+\}?$/i.test(text)) {
    throw new DatabaseUrlError(`is a placeholder whose value was not put in; it ${databaseForms}`)
  }
  if (text === 'memory' || text === ':memory:') return { kind: 'memory' }
  if (/^sqlite:/i.test(text)) return parseSqliteUrl(text.slice('sqlite:'.length))
  if (/^postgres(ql)?:/i.test(text)) return { kind: 'postgres', ...parsePostgresUrl(text) }
  const other = otherSchemes.exec(text)?.[1]
  throw new DatabaseUrlError(
    other === undefined ? databaseForms : `${other.toLowerCase()}: is not supported; it ${databaseForms}`,
  )
}

function parseSqliteUrl(rest: string): DatabaseAddress {
  if (rest === ':memory:') return { kind: 'memory' }
  // `sqlite:///var/lib/x.db`, the form of other products, has an empty host, and its path is absolute.
  const path = rest.startsWith('///') ? rest.slice(2) : rest
  if (path.trim() === '') throw new DatabaseUrlError('names no file; such as sqlite:/var/lib/rekey/rekey.db')
  if (path.startsWith('//')) {
    throw new DatabaseUrlError('must be sqlite:PATH without slashes in front, or sqlite:///PATH')
  }
  // SQLite would open a `file:` URI with its parameters, which can mean memory, or a file that no other process sees.
  if (/^file:|\?\w+=[^/]*$/i.test(path)) {
    throw new DatabaseUrlError('must be sqlite:PATH: a path alone, without parameters')
  }
  if (path.endsWith('/')) throw new DatabaseUrlError('names a folder; such as sqlite:/var/lib/rekey/rekey.db')
  if (path.includes('\0')) throw new DatabaseUrlError('contains a character that no path may have')
  return { kind: 'sqlite', path }
}
