import type { CompiledQuery, DatabaseConnection, QueryExecutor, QueryResult } from 'kysely'

/** What runs compiled statements: the database, or one transaction of it. */
interface Runner {
  executeQuery<R>(query: CompiledQuery<R>): Promise<QueryResult<R>>
}

const connections = new WeakMap<Runner, Pick<DatabaseConnection, 'executeQuery'>>()

/**
 * Lets `execute` give the statements of a transaction to its connection at once. Kysely hands a transaction's connection to
 * one statement at a time, so that each would wait for the result of the one before.
 */
export async function openPipeline(
  tx: Runner & { getExecutor(): Pick<QueryExecutor, 'provideConnection'> },
): Promise<void> {
  await tx.getExecutor().provideConnection(async (connection) => {
    connections.set(tx, connection)
  })
}

/**
 * Lets `execute` give statements outside of a transaction to the driver itself: to a database in this process Kysely's
 * way there (an executor, a connection to acquire and to release) costs as much as many of the statements.
 */
export function openShortcut(db: Runner, shortcut: Pick<DatabaseConnection, 'executeQuery'>): void {
  connections.set(db, shortcut)
}

/** Runs a compiled statement. Those of one transaction run in the order in which they are given. */
export const execute = <R>(db: Runner, query: CompiledQuery<R>): Promise<QueryResult<R>> =>
  connections.get(db)?.executeQuery<R>(query) ?? db.executeQuery<R>(query)
