/**
 * The database: SQLite in the process or a PostgreSQL server, behind one Kysely and one schema. Owns the tables, the
 * migrations, transactions and the two dialects. Queries of a folder are in its `*.store.ts` files, each change of state
 * as one conditional statement, never a read and then a write. Those that differ by database say so by `storage.kind`:
 * the lock of the outbox (`delivery`), search and JSON members (`directory`), a page of the log (`management`).
 */

export { type DatabaseAddress, databaseForms, parseDatabaseUrl } from './database-url.ts'
export { DatabaseUrlError } from './database-url-error.ts'
export { takeFileLock } from './file-lock.ts'
export { type MigrateOptions, type SchemaChange, SchemaError, type SchemaState } from './migrator.ts'
export { withCommit } from './pending.ts'
export { tlsOptions } from './postgres-url.ts'
export { type GrowingTable, oldest, purge, purgeShortLived, type ShortLived } from './purge.ts'
export {
  claimSecret,
  promoteSecret,
  recordedSecrets,
  refuseMissingSecret,
  refuseWrongSecret,
  type SecretUses,
  usesOfSecret,
} from './secret-check.ts'
export { retryStale, StaleRead } from './stale.ts'
export type { PoolLoad, ReadyCheck, StorageChecks } from './state.ts'
export { insert, statement, type Value } from './statement.ts'
export {
  change,
  type Db,
  decide,
  isUniqueViolation,
  locksRows,
  openStorage,
  partOf,
  prefixed,
  run,
  type Storage,
  type StorageOptions,
  slots,
  type Tx,
  takeLock,
  together,
  unprefixing,
} from './storage.ts'
export { columnsOf, type NewRow, type Row, type Schema, type TableName, tables } from './tables.ts'
export {
  notedTime,
  noteTime,
  noteToleranceMs,
  readNoted,
  rebaseTime,
} from './time.ts'
