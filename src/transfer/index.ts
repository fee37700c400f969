/**
 * What an installation holds, as JSON lines that another takes in: people with their hashes, groups, apps, policies. Owns
 * the format and nothing else: what is under way (conversations, sessions, mails, tokens), signing keys, API tokens and
 * events stay where they are. Rows are those of the one schema that both databases share, so a file moves between them.
 */
export { exportLines, type Summary } from './export.ts'
export { type ImportOptions, importLines, type Taken } from './import.ts'
export { longestLine } from './kinds.ts'
