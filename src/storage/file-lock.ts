import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** A lock that this process holds. */
interface FileLock {
  release(): void
}

/**
 * Takes a lock on a file, for as long as this process lives: the system releases it with the process, however that ends.
 * Undefined where another process holds it. The file is an SQLite database without content, of which the write lock is
 * taken: Node has no other lock on files.
 */
export function takeFileLock(path: string): FileLock | undefined {
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5) return undefined
    throw error
  }
}
