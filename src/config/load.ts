import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { ConfigError } from '../base/index.ts'
import { checkConfig, type Settings } from './check.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { findConfigFile, readConfigFile } from './file.ts'
import type { Config } from './options.ts'
import { leavesOf, valueAt, withValue } from './schema.ts'
import { type ReadFile, withSecretFiles } from './secret-file.ts'

export interface LoadOptions {
  /** The working folder: the file is searched here, and relative paths start here. */
  readonly folder: string
  readonly env: Environment
  /** The file to use instead of `rekey.config.*` in the folder. */
  readonly file?: string | undefined
  /** Settings of the command line, by option path; undefined if the flag was not given. They override all others. */
  readonly flags?: Readonly<Record<string, { readonly value: unknown; readonly source: string } | undefined>>
  /** Defaults of a command that differ from those of the schema, by option path. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** Options that the command sets itself: the files that the configuration file names for them are not read. */
  readonly ignored?: readonly string[]
}

/** The settings from all sources, not validated yet. */
export interface Loaded {
  readonly settings: Settings
  /** The source of a setting: a file name, a variable or a flag; undefined for a default. */
  sourceOf(path: string): string | undefined
  readonly file: string | undefined
  readonly warnings: readonly string[]
  /** The problems of variables and of files that hold secrets: `check` reports them with all others. */
  readonly unread: readonly string[]
  /**
   * Fills in the defaults and validates everything, with the mode of the command and its own changes.
   * Throws a ConfigError.
   */
  check(mode: Config['mode'], change?: (settings: Settings) => Settings): Config
}

/** Collects the settings. The environment overrides the file, flags override both. Throws a ConfigError. */
export async function loadSettings(options: LoadOptions): Promise<Loaded> {
  const { folder, env, flags = {}, defaults = {} } = options
  const file = findConfigFile(folder, options.file)
  const fileName = file && (relative(folder, file) || file)
  const read: ReadFile = (path) => readFileSync(resolve(folder, path))
  const fromFile = withSecretFiles(
    file === undefined ? {} : await readConfigFile(file),
    read,
    options.ignored,
  )
  const written = fromFile.settings
  const environment = readEnvironment(env, read)
  const unread = [
    ...fromFile.problems.map((problem) => `${problem} (from ${fileName})`),
    ...environment.problems,
  ]

  const sources = new Map<string, string>()
  for (const [path] of leavesOf()) {
    if (fileName !== undefined && valueAt(written, path) !== undefined) sources.set(path, fileName)
  }
  let settings: object = written
  for (const [path, value] of Object.entries(defaults)) {
    if (valueAt(written, path) === undefined) settings = withValue(settings, path, value)
  }
  for (const [path, setting] of [...environment.values, ...Object.entries(flags)]) {
    if (setting === undefined) continue
    settings = withValue(settings, path, setting.value)
    sources.set(path, setting.source)
  }

  // An entry within a list has the source of the list.
  const sourceOf = (path: string): string | undefined => {
    const dot = path.lastIndexOf('.')
    return sources.get(path) ?? (dot === -1 ? undefined : sourceOf(path.slice(0, dot)))
  }
  return {
    settings: settings as Settings,
    sourceOf,
    file,
    warnings: environment.warnings,
    unread,
    check: (mode, change = (settings) => settings) => {
      const checked = attempt(() => checkConfig({ ...change(settings as Settings), mode }, sourceOf))
      if (unread.length === 0 && 'config' in checked) return checked.config
      throw new ConfigError([...unread, ...('problems' in checked ? checked.problems : [])])
    },
  }
}

function attempt(check: () => Config): { config: Config } | { problems: readonly string[] } {
  try {
    return { config: check() }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems }
    throw error
  }
}
