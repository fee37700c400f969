import { didYouMean } from '../base/index.ts'
import { type Schema, schemaAt, typeOf } from './schema.ts'

/** The environment variables, passed in as a value by the caller. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The options that variables can set. All other options are set in the configuration file. */
export const variables: Readonly<Record<string, string>> = {
  REKEY_ISSUER: 'issuer',
  REKEY_SECRET: 'secrets',
  REKEY_SECRET_FILE: 'secrets',
  DATABASE_URL: 'database.url',
  REKEY_DATABASE_POOL: 'database.poolSize',
  REKEY_MIGRATE: 'database.migrate',
  SMTP_URL: 'mail.url',
  REKEY_MAIL_FROM: 'mail.from',
  REKEY_MAIL_FROM_NAME: 'mail.fromName',
  REKEY_MAIL_DELIVER: 'mail.deliver',
  REKEY_MAIL_INSECURE_PLAIN_SMTP: 'mail.insecurePlainSmtp',
  REKEY_MAIL_HELO_NAME: 'mail.heloName',
  REKEY_MAIL_TEMPLATES: 'mail.templates',
  REKEY_HOST: 'http.host',
  REKEY_PORT: 'http.port',
  REKEY_TRUSTED_PROXIES: 'http.trustedProxies',
  REKEY_TRUSTED_ORIGINS: 'trustedOrigins',
  REKEY_ORG_NAME: 'org.name',
  REKEY_LOG_LEVEL: 'log.level',
  REKEY_API_TOKEN: 'management.apiToken',
}

/** The variables that only `rekey dev` reads, with their descriptions. */
export const devVariables: Readonly<Record<string, string>> = {
  REKEY_APP_PORT: 'the port of the sample app',
  REKEY_INBOX_PORT: 'the port of the inbox and the control API',
  REKEY_SMTP_PORT: 'the port of the SMTP server that takes all mails',
  REKEY_DATA: 'the folder of the data, or `memory`',
}

export interface FromEnvironment {
  readonly values: ReadonlyMap<string, { readonly value: unknown; readonly source: string }>
  readonly problems: readonly string[]
  /** Variables that are probably mistyped: they set no option. */
  readonly warnings: readonly string[]
}

/** Reads the variables. An empty variable counts as not set. `readText` reads the file of REKEY_SECRET_FILE. */
export function readEnvironment(env: Environment, readText: (path: string) => string): FromEnvironment {
  const values = new Map<string, { value: unknown; source: string }>()
  const problems: string[] = []
  for (const [name, path] of Object.entries(variables)) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const before = values.get(path)
    if (before !== undefined) problems.push(`${path}: set ${before.source} or ${name}, not both`)
    try {
      const value = name === 'REKEY_SECRET_FILE' ? readSecrets(text, readText) : convert(text, schemaAt(path))
      values.set(path, { value, source: name })
    } catch (cause) {
      problems.push(`${path}: ${(cause as Error).message} (from ${name})`)
    }
  }
  return { values, problems, warnings: mistypedVariables(env) }
}

const list = (text: string): readonly string[] =>
  text
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Accepts several files, and several secrets per file. Their order is significant: newest first. */
const readSecrets = (paths: string, readText: (path: string) => string): readonly string[] =>
  list(paths).flatMap((path) => list(readText(path)))

function convert(text: string, option: Schema | undefined): unknown {
  if (option?.type === 'array') return list(text)
  if (option?.type === 'integer') {
    if (/^\d+$/.test(text.trim())) return Number(text)
    throw new Error(`must be ${typeOf(option)}, not "${text}"`)
  }
  if (option?.type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new Error(`must be ${typeOf(option)}, not "${text}"`)
  }
  return text
}

function mistypedVariables(env: Environment): readonly string[] {
  const known = [...Object.keys(variables), ...Object.keys(devVariables)]
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('REKEY_') || known.includes(name)) return []
    const hint = didYouMean(name, known)
    return hint === '' ? [] : [`${name} sets nothing${hint}`]
  })
}
