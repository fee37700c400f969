/**
 * The archive: what an installation must not lose, as JSON lines. Owns the format and the order of its kinds. People with
 * their hashes, groups, clients, policies and the user schema are in it; what lives for minutes (sessions, tokens,
 * codes, mails) and what belongs to one installation (signing keys, API tokens, the log) is not.
 */

export { type Imported, type Problem, readArchive } from './read.ts'
export { exportLines } from './store.ts'
