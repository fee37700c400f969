import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { didYouMean } from '../base/index.ts'
import { type Command, DifferenceError, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { explain } from './explain.ts'
import { helpOf, overview } from './help.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs one command line and answers its exit code: 0 it worked, 1 it did not, 2 it was not called as it must be or
 * found the difference it was to look for.
 */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await dispatch(words, terminal)
    return 0
  } catch (error) {
    for (const line of explain(error)) terminal.note(line)
    return error instanceof UsageError || error instanceof DifferenceError ? 2 : 1
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<void> {
  const [first, ...rest] = words
  if (first === '--version' || first === '-V' || first === 'version') return terminal.print(version())
  if (first === undefined) throw new UsageError(overview())
  if (first === '--help' || first === '-h' || first === 'help') {
    return terminal.print(rest.length === 0 ? overview() : await helpFor(rest))
  }
  const { name, load, args } = find(words)
  const command = await load()
  const { help, ...call } = parse(name, command, args)
  if (help) return terminal.print(helpOf(name, command))
  await command.run({ ...call, terminal })
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version

async function helpFor(words: readonly string[]): Promise<string> {
  const { name, load } = find(words)
  return helpOf(name, await load())
}

/** The command that the words begin with. Throws a UsageError that names the nearest one. */
function find(words: readonly string[]) {
  const [first = '', second] = words
  for (const entry of commands) {
    const parts = entry.name.split(' ')
    if (parts.every((part, n) => words[n] === part)) return { ...entry, args: words.slice(parts.length) }
  }
  const family = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  const [only] = family
  if (only !== undefined) {
    if (second === undefined || second.startsWith('-')) {
      throw new UsageError(`which one: ${family.map((name) => `rekey ${name}`).join(', ')}?`, only)
    }
    throw new UsageError(
      `there is no command "${first} ${second}"${didYouMean(`${first} ${second}`, family)}`,
    )
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
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    const { help, ...given } = values
    return {
      help: help === true,
      options: given as Record<string, string | boolean | undefined>,
      args: positionals,
    }
  } catch (error) {
    throw new UsageError(parseProblem(error as Error, Object.keys(command.options)), name)
  }
}

/** What `parseArgs` found wrong, in our words. */
function parseProblem({ message }: Error, known: readonly string[]): string {
  const unknown = /^Unknown option '(-+)([^']*)'/.exec(message)
  if (unknown !== null) {
    const [, dashes = '', option = ''] = unknown
    if (/^pass/.test(option) && !known.includes(option)) {
      return 'a password is never an argument, where every process of this machine could read it: it is asked for, or read from standard input'
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
