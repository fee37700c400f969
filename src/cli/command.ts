import type { Terminal } from './terminal.ts'

/** A command of `rekey`: what it takes, how it is explained, and what it does. */
export interface Command {
  /** What stands behind its name: `[ID]`. */
  readonly takes?: string
  /** Paragraphs of help. */
  readonly about: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** Resolves when it is done: exit code 0. Throws a UsageError (2) or anything else (1). */
  run(call: Call): Promise<void>
}

export interface Option {
  readonly type: 'string' | 'boolean'
  /** What its value is called in the help: `PORT`. */
  readonly value?: string
  readonly words: string
  readonly variable?: string
}

/** One call of a command. */
export interface Call {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly args: readonly string[]
  readonly terminal: Terminal
}

/** The command was not called as it must be: exit code 2. */
export class UsageError extends Error {
  /** The command whose help tells how. */
  readonly command: string | undefined

  constructor(message: string, command?: string) {
    super(message)
    this.name = 'UsageError'
    this.command = command
  }
}

/** Something that the caller can mend stands in the way: exit code 1, and the message is all that is said. */
export class CommandError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'CommandError'
  }
}

/** What was asked for is not so, as with `apply --check`: exit code 2. */
export class DifferenceError extends CommandError {
  constructor(message: string) {
    super(message)
    this.name = 'DifferenceError'
  }
}

export const jsonOption = { json: { type: 'boolean', words: 'print JSON' } } as const satisfies Options

export const configOption = {
  config: {
    type: 'string',
    value: 'FILE',
    words: 'the configuration file; otherwise rekey.config.{ts,js,mjs,json,yaml,yml} in this folder',
  },
} as const satisfies Options

export const dataOption = {
  data: {
    type: 'string',
    value: 'FOLDER',
    words: 'work on the data of rekey dev in this folder, whatever is configured',
    variable: 'REKEY_DATA',
  },
} as const satisfies Options

type Options = Readonly<Record<string, Option>>

/** The text of an option, or undefined where it was not given. */
export const textOf = ({ options }: Call, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** A whole number from an option; throws a UsageError for anything else. */
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

/** `true` or `false` from an option; throws a UsageError for anything else. */
export function booleanOf(call: Call, name: string): boolean | undefined {
  const text = textOf(call, name)
  if (text === undefined || text === 'true' || text === 'false') return text && text === 'true'
  throw new UsageError(`--${name} must be true or false, not "${text}"`)
}

/** The one argument that a command must have. */
export function onlyArgument({ args }: Call, what: string): string {
  const [argument] = args
  if (argument === undefined || argument === '') throw new UsageError(`${what} is missing`)
  return argument
}

/** For commands that take no argument, or not more than some. */
export function refuseMore({ args }: Call, most: number): void {
  const extra = args[most]
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many`)
}

/** A line of the list of commands. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** Loaded when it is called: `rekey --help` must not wait for an engine. */
  load(): Promise<Command>
}
