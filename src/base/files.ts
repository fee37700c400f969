import { statSync } from 'node:fs'

/** Those of the files that users other than the owner can read, or write. Files that do not exist are none. */
export const readableByOthers = (paths: readonly string[]): readonly string[] =>
  process.platform === 'win32'
    ? [] // There are no such permissions.
    : paths.filter((path) => {
        const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
        return (mode & 0o077) !== 0
      })
