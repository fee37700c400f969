// What callers know of an open database, without the driver: the declarations of the package name no type of `pg`, which
// brings none, so that a project compiles with `skipLibCheck: false` as it is.

/** The state of the connection pool. */
export interface PoolLoad {
  readonly busy: number
  readonly idle: number
  /** Statements and transactions that wait for a connection. */
  readonly waiting: number
  readonly most: number
}

/**
 * Something that must hold for a node to do its work. Resolves to `ok`; to `no answer` where that could not be found out
 * in time; else to what is wrong, in a word or two. The word is public: it contains no address, name or secret.
 */
export type ReadyCheck = () => Promise<string>

/** What a node needs of its database. */
export interface StorageChecks {
  /** `ok`, `read-only`, `unreachable`, `refused` (the password, the database's name), `gone` (a file), `no answer`. */
  readonly database: ReadyCheck
  /**
   * `ok`, `full`, `read-only` or `failing`. Costs nothing until a statement has failed for want of the disk. From then on
   * each call writes a little, until that succeeds.
   */
  readonly disk: ReadyCheck
}

/**
 * What stands between engine and PostgreSQL: `session` where a connection stays with its server's session (nothing, or a
 * pooler in session mode), `transaction` where a pooler gives each transaction another one. Then nothing is left on a
 * session: statements have no names, and limits of time are set in each transaction.
 */
export type Pooler = 'session' | 'transaction'
