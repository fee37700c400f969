/**
 * Export and import of an installation as JSON lines: users with password hashes, groups, apps, policies. Owns the file
 * format. Short-lived data (transactions, sessions, mails, tokens), signing keys, API tokens and events are not exported.
 * The lines follow the schema that both databases share, so a file can move between them.
 */
export { exportLines, type Summary } from './export.ts'
export { type ImportResult, importLines } from './import.ts'
export { labelOf, longestLine } from './tables.ts'
