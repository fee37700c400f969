/**
 * The command line: one file per command, loaded on demand. The only part that reads the environment variables and the
 * working folder; it passes both on as values. Follows the rules of `terminal.ts`: standard output carries only the
 * result, errors explain how to fix them, exit codes are 0, 1 and 2.
 */
export { commandsPage } from './help.ts'
export { run } from './run.ts'
export { openTerminal, type Terminal } from './terminal.ts'
