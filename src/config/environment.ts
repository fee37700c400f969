import { didYouMean } from '../base/index.ts'
import { type Schema, schemaAt, typeOf } from './schema.ts'
import { listOf, type ReadFile, readSecretLine, readSecretList } from './secret-file.ts'

/** The environment variables, passed in as a value by the caller. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The options that variables can set. All other options are set in the configuration file. */
export const variables: Readonly<Record<string, string>> = {
  REKEY_ISSUER: 'issuer',
  REKEY_SECRET: 'secrets',
  REKEY_SECRET_FILE: 'secrets',
  DATABASE_URL: 'database.url',
  DATABASE_URL_FILE: 'database.url',
  REKEY_DATABASE_POOL: 'database.poolSize',
  REKEY_DATABASE_POOLER: 'database.pooler',
  REKEY_DATABASE_MAX_LIFETIME: 'database.maxLifetimeSeconds',
  REKEY_MIGRATE: 'database.migrate',
  SMTP_URL: 'mail.url',
  SMTP_URL_FILE: 'mail.url',
  REKEY_MAIL_FROM: 'mail.from',
  REKEY_MAIL_FROM_NAME: 'mail.fromName',
  REKEY_MAIL_DELIVER: 'mail.deliver',
  REKEY_MAIL_INSECURE_PLAIN_SMTP: 'mail.insecurePlainSmtp',
  REKEY_MAIL_HELO_NAME: 'mail.heloName',
  REKEY_MAIL_TEMPLATES: 'mail.templates',
  REKEY_TELEPHONY_URL: 'telephony.hook.url',
  REKEY_TELEPHONY_SECRET: 'telephony.hook.secret',
  REKEY_TELEPHONY_SECRET_FILE: 'telephony.hook.secret',
  REKEY_CAPTCHA_SECRET: 'captcha.secret',
  REKEY_CAPTCHA_SECRET_FILE: 'captcha.secret',
  REKEY_CLASSIC: 'classic.enabled',
  REKEY_PAGES: 'pages',
  REKEY_WIDGET_PACKAGE: 'widget.package',
  REKEY_WIDGET_GENERATION: 'widget.generation',
  REKEY_WIDGET_LANGUAGE: 'widget.language',
  REKEY_HOST: 'http.host',
  REKEY_PORT: 'http.port',
  REKEY_TRUSTED_PROXIES: 'http.trustedProxies',
  REKEY_SHUTDOWN_DELAY: 'http.shutdownDelay',
  REKEY_KEEP_ALIVE: 'http.keepAlive',
  REKEY_WORKERS: 'workers',
  REKEY_ACCESS_LOG: 'http.accessLog',
  REKEY_METRICS_PORT: 'metrics.port',
  REKEY_METRICS_HOST: 'metrics.host',
  REKEY_TRUSTED_ORIGINS: 'trustedOrigins',
  REKEY_ORG_NAME: 'org.name',
  REKEY_LOG_LEVEL: 'log.level',
  REKEY_MANAGEMENT_HOST: 'management.host',
  REKEY_API_TOKEN: 'management.apiToken',
  REKEY_API_TOKEN_FILE: 'management.apiToken',
}

/** Whether a variable names the file that holds the value, for secrets that should not stand in the environment. */
const isFileVariable = (name: string): boolean => name.endsWith('_FILE')

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

/** Reads the variables. An empty variable counts as not set. `read` reads the files of the variables that name one. */
export function readEnvironment(env: Environment, read: ReadFile): FromEnvironment {
  const values = new Map<string, { value: unknown; source: string }>()
  const problems: string[] = []
  for (const [name, path] of Object.entries(variables)) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const before = values.get(path)
    if (before !== undefined) problems.push(`${path}: set ${before.source} or ${name}, not both`)
    try {
      const value = isFileVariable(name) ? readFileOf(path, text, read) : convert(text, schemaAt(path))
      values.set(path, { value, source: name })
    } catch (cause) {
      problems.push(`${path}: ${(cause as Error).message} (from ${name})`)
    }
  }
  return { values, problems, warnings: mistypedVariables(env) }
}

const readFileOf = (option: string, file: string, read: ReadFile): unknown =>
  schemaAt(option)?.type === 'array' ? readSecretList(file, read) : readSecretLine(file.trim(), read)

function convert(text: string, option: Schema | undefined): unknown {
  if (option?.type === 'array') return listOf(text)
  if (option?.type === 'integer') {
    if (/^\d+$/.test(text.trim())) return Number(text)
    throw new Error(`must be ${typeOf(option)}, not "${text}"`)
  }
  if (option?.type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new Error(`must be ${typeOf(option)}, not "${text}"`)
  }
  // A number, or a word in its place, such as `off`.
  if (option?.anyOf?.some(({ type }) => type === 'integer') && /^\d+$/.test(text.trim())) return Number(text)
  // White space around a value comes from the file of variables that it stands in; of a blank value nothing would be left.
  return text.trim() === '' ? text : text.trim()
}

/** The variables without the prefix of the product, which many put in front of them: `REKEY_DATABASE_URL`. */
const unprefixed = Object.keys(variables).filter((name) => !name.startsWith('REKEY_'))

/** Variables that set nothing and look like one that does. */
function mistypedVariables(env: Environment): readonly string[] {
  const known = [...Object.keys(variables), ...Object.keys(devVariables)]
  return Object.keys(env).flatMap((name) => {
    if (known.includes(name)) return []
    const upper = name.toUpperCase()
    if (known.includes(upper)) return [`${name} sets nothing; did you mean ${upper}?`]
    if (!upper.startsWith('REKEY_')) {
      // Variables of other programs are named alike: only where ours is missing.
      const meant = unprefixed.find((one) => env[one] === undefined && isOneSlip(upper, one))
      return meant === undefined ? [] : [`${name} sets nothing; did you mean ${meant}?`]
    }
    const bare = unprefixed.find((one) => upper === `REKEY_${one}`)
    if (bare !== undefined) return [`${name} sets nothing; did you mean ${bare}?`]
    const hint = didYouMean(name, known)
    return hint === '' ? [] : [`${name} sets nothing${hint}`]
  })
}

/** Whether two names differ in `_` and `-` alone, or in URI for URL. */
const isOneSlip = (name: string, known: string): boolean => {
  const bare = (text: string) => text.replace(/[_-]/g, '').replace('URI', 'URL')
  return bare(name) === bare(known)
}
