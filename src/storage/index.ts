/**
 * The databases: SQLite in the process or a PostgreSQL server, behind one Kysely and one schema. Owns the tables,
 * the migrations, transactions and what differs between the two; owns no query of a folder: those stand in each
 * folder's `store.ts`. Every change of state there is one conditional statement, never a read and then a write.
 */

export { type GrowingTable, notedTime, noteTime, purge } from './purge.ts'
export type { NewRow, Row, Schema } from './schema.ts'
export { retryStale, StaleRead } from './stale.ts'
export { insert, statement, type Value } from './statement.ts'
export {
  type Db,
  isUniqueViolation,
  locksRows,
  openStorage,
  ping,
  prefixed,
  run,
  type Storage,
  type StorageOptions,
  slots,
  type Tx,
  takeLock,
  together,
  unprefixed,
} from './storage.ts'
