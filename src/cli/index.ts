/**
 * The command line: one file a command, each loaded when it is called. The only place that reads the environment and
 * the working folder, and hands both on as values. Follows the manners of `terminal.ts`: standard output carries the
 * answer, errors say what to do, exit codes are 0, 1 and 2.
 */
export { commandsPage } from './help.ts'
export { run } from './run.ts'
export { openTerminal, type Terminal } from './terminal.ts'
