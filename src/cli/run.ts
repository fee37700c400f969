import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { didYouMean } from '../base/index.ts'
import { type Command, DifferenceError, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { explain } from './explain.ts'
import { helpOf, overview } from './help.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs one command line and returns its exit code: 0 for success, 1 for failure, 2 for an invalid command line or a
 * difference found by a check.
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await dispatch(argv, terminal)
    return Number(process.exitCode ?? 0)
  } catch (error) {
    for (const line of explain(error)) terminal.note(line)
    return error instanceof UsageError || error instanceof DifferenceError ? 2 : 1
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<void> {
  const [first, ...rest] = argv
  if (first === '--version' || first === '-V' || first === '-v' || first === 'version')
    return terminal.print(version())
  if (first === undefined) throw new UsageError(overview())
  if (first === '--help' || first === '-h' || first === 'help') {
    return terminal.print(rest.length === 0 ? overview() : await helpFor(rest))
  }
  const { name, load, args } = find(argv)
  const command = await load()
  const { help, ...call } = parse(name, command, args)
  if (help) return terminal.print(helpOf(name, command))
  await command.run({ ...call, terminal }).catch((error: unknown) => {
    // Wherever it was thrown: the help of this command is the one to read.
    throw error instanceof UsageError ? new UsageError(error.message, error.command ?? name) : error
  })
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version

async function helpFor(argv: readonly string[]): Promise<string> {
  const { name, load } = find(argv)
  return helpOf(name, await load())
}

/** What other tools call the same: the spelling alone would suggest `revoke` for `create`. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  create: ['add'],
  new: ['add'],
  delete: ['remove', 'revoke'],
  rm: ['remove', 'revoke'],
  ls: ['list'],
}

/** The command that a command line begins with. Throws a UsageError that suggests the most similar one. */
function find(argv: readonly string[]) {
  const [first = ''] = argv
  for (const entry of commands) {
    const parts = entry.name.split(' ')
    if (parts.every((part, n) => argv[n] === part)) return { ...entry, args: argv.slice(parts.length) }
  }
  // The longest beginning that some commands share: `user factors`, else `user`.
  const isBeginning = (words: string) => commands.some(({ name }) => name.startsWith(`${words} `))
  const beginning = [argv.slice(0, 2).join(' '), first].find(isBeginning)
  if (beginning !== undefined) {
    const family = commands.map(({ name }) => name).filter((name) => name.startsWith(`${beginning} `))
    const next = argv[beginning.split(' ').length]
    if (next === undefined || next.startsWith('-')) {
      throw new UsageError(`choose one of: ${family.map((name) => `rekey ${name}`).join(', ')}`, family[0])
    }
    const meant = (synonyms[next] ?? []).map((word) => `${beginning} ${word}`)
    const [other] = meant.filter((name) => family.some((known) => known === name))
    const hint = other === undefined ? didYouMean(`${beginning} ${next}`, family) : `; did you mean ${other}?`
    throw new UsageError(`there is no command "${beginning} ${next}"${hint}`)
  }
  const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]
  throw new UsageError(`there is no command "${first}"${didYouMean(first, firsts)}`)
}

function parse(name: string, command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { type }]) => [option, { type }] as const),
  )
  try {
    const { values, positionals } = parseArgs({
      args: keysLast(args),
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    const { help, ...others } = values
    return {
      help: help === true,
      options: others as Record<string, string | boolean | undefined>,
      args: positionals,
    }
  } catch (error) {
    throw new UsageError(parseProblem(error as Error, Object.keys(command.options)), name)
  }
}

/** Puts ids of signing keys behind `--`: one of 64 begins with a hyphen, and would be read as an option. */
function keysLast(args: readonly string[]): string[] {
  const isKey = (arg: string): boolean => /^-[\w-]{42}$/.test(arg)
  const keys = args.filter(isKey)
  return keys.length === 0 ? [...args] : [...args.filter((arg) => !isKey(arg)), '--', ...keys]
}

/** Rewrites an error of `parseArgs` in the style of the other messages. */
function parseProblem({ message }: Error, known: readonly string[]): string {
  const unknown = /^Unknown option '(-+)([^']*)'/.exec(message)
  if (unknown !== null) {
    const [, dashes = '', option = ''] = unknown
    if (/^pass/.test(option) && !known.includes(option)) {
      return 'a password cannot be an argument, because every process of this machine could read it: type it at the prompt, or pass it on standard input'
    }
    const meant = didYouMean(option, known)
    return `there is no option ${dashes}${option}${meant.replace('mean ', 'mean --')}`
  }
  const missing = /^Option '(?:-\w, )?(--[\w-]+) <value>' argument missing/.exec(message)
  if (missing !== null) return `${missing[1]} needs a value`
  const valueless = /^Option '(?:-\w, )?(--[\w-]+)' does not take an argument/.exec(message)
  if (valueless !== null) return `${valueless[1]} takes no value`
  return message.split('\n')[0] ?? message
}
