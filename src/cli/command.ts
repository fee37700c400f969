import type { Terminal } from './terminal.ts'

/** A command of `rekey`: its arguments, its help and its implementation. */
export interface Command {
  /** The positional arguments, as the help shows them: `[ID]`. */
  readonly takes?: string
  /** Paragraphs of help. */
  readonly about: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** Resolves on success: exit code 0. Throws a UsageError (exit code 2) or any other error (1). */
  run(call: Call): Promise<void>
}

export interface Option {
  readonly type: 'string' | 'boolean'
  /** The placeholder of its value in the help: `PORT`. */
  readonly value?: string
  readonly description: string
  readonly variable?: string
}

/** One invocation of a command. */
export interface Call {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly args: readonly string[]
  readonly terminal: Terminal
}

/** The command line is invalid: exit code 2. */
export class UsageError extends Error {
  /** The command whose help explains the correct usage. */
  readonly command: string | undefined

  constructor(message: string, command?: string) {
    super(message)
    this.name = 'UsageError'
    this.command = command
  }
}

/** An expected failure that the caller can fix: exit code 1. The message is printed without a stack trace. */
export class CommandError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'CommandError'
  }
}

/** A check found a difference, as with `apply --check`: exit code 2. */
export class DifferenceError extends CommandError {
  constructor(message: string) {
    super(message)
    this.name = 'DifferenceError'
  }
}

export const jsonOption = { json: { type: 'boolean', description: 'print JSON' } } as const satisfies Options

export const configOption = {
  config: {
    type: 'string',
    value: 'FILE',
    description: 'the configuration file; default: rekey.config.{ts,js,mjs,json,yaml,yml} in this folder',
  },
} as const satisfies Options

export const dataOption = {
  data: {
    type: 'string',
    value: 'FOLDER',
    description: 'use the data of rekey dev in this folder instead of the configured database',
    variable: 'REKEY_DATA',
  },
} as const satisfies Options

type Options = Readonly<Record<string, Option>>

/** The value of a text option, or undefined if it was not given. */
export const textOf = ({ options }: Call, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** The value of an option as a whole number. Throws a UsageError for anything else. */
export function numberOf(call: Call, name: string, limits: { readonly min: number; readonly max: number }) {
  const text = textOf(call, name)
  return text === undefined ? undefined : checkedNumber(text, `--${name}`, limits)
}

export function checkedNumber(
  text: string,
  source: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`${source} must be a whole number from ${min} to ${max}, not "${text}"`)
}

/** The value of an option as `true` or `false`. Throws a UsageError for anything else. */
export function booleanOf(call: Call, name: string): boolean | undefined {
  const text = textOf(call, name)
  if (text === undefined || text === 'true' || text === 'false') return text && text === 'true'
  throw new UsageError(`--${name} must be true or false, not "${text}"`)
}

/** The only required argument of a command. Throws a UsageError if it is missing. */
export function onlyArgument({ args }: Call, what: string): string {
  const [argument] = args
  if (argument === undefined || argument === '') throw new UsageError(`${what} is missing`)
  return argument
}

/** Throws a UsageError if there are more positional arguments than the command accepts. */
export function refuseMore({ args }: Call, most: number): void {
  const extra = args[most]
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`)
}

export const yesOption = {
  yes: { type: 'boolean', description: 'do not ask for confirmation; required where no terminal can ask' },
} as const satisfies Options

/**
 * Asks for confirmation, unless `--yes` was given. Throws a CommandError where the answer is not yes, with `otherwise`, and where
 * standard input is no terminal: a script that deletes says so.
 */
export async function confirm(
  { options, terminal }: Call,
  question: string,
  { otherwise, hint = 'add --yes' }: { readonly otherwise: string; readonly hint?: string },
): Promise<void> {
  if (options.yes === true) return
  if (!terminal.isInteractive) throw new CommandError(`cannot ask for confirmation here: ${hint}`)
  const answer = await terminal.ask(`${question}? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError(otherwise)
}

/** An entry of the list of commands. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** Imports the command on demand: `rekey --help` must not wait for the engine to load. */
  load(): Promise<Command>
}
