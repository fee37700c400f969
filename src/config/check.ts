import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { ConfigError } from '../base/index.ts'
import { type Config, configOptions } from './options.ts'

/** Settings as an owner writes them: any part may be absent. */
export type Settings = DeepPartial<Config>

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T

/** Puts the defaults in and checks everything. Throws a ConfigError with all problems at once, each naming its option. */
export function checkConfig(settings: Settings): Config {
  const filled = Value.Default(configOptions, structuredClone(settings))
  const problems = problemsOf(configOptions, filled)
  if (problems.length > 0) throw new ConfigError(problems)
  const config = filled as Config
  const unsafe = config.mode === 'production' ? productionProblems(config) : []
  if (unsafe.length > 0) throw new ConfigError(unsafe)
  return config
}

function problemsOf(schema: TSchema, value: unknown): readonly string[] {
  return Value.Errors(schema, value).flatMap((error) => {
    const path = error.instancePath.slice(1).replaceAll('/', '.')
    // Reported once more, with the option's own name, by `additionalProperties`.
    if (error.keyword === 'boolean') return []
    if (error.keyword === 'additionalProperties') {
      const { additionalProperties } = error.params as { additionalProperties: readonly string[] }
      return additionalProperties.map(
        (name) => `${[path, name].filter(Boolean).join('.')}: there is no such option`,
      )
    }
    return [`${path || 'the configuration'}: ${error.message}`]
  })
}

/** What must not reach production: each is fine on a laptop and an open door on the internet. */
function productionProblems(config: Config): readonly string[] {
  const problems: (readonly [unsafe: boolean, problem: string])[] = [
    [
      config.secrets.length === 0,
      'secrets: set REKEY_SECRET (or REKEY_SECRET_FILE) to a random text of 32 characters or more',
    ],
    [config.secrets.some((secret) => secret.length < 32), 'secrets: each must have 32 characters or more'],
    [
      config.issuer === undefined,
      'issuer: set REKEY_ISSUER to the public address, such as https://id.example.com',
    ],
    [
      config.issuer !== undefined && !config.issuer.startsWith('https://'),
      'issuer: must be https, links in mails and tokens are made of it',
    ],
    [
      config.mail.url === undefined,
      'mail.url: set SMTP_URL to the mail server, such as smtp://user:password@mail.example.com:587',
    ],
    [config.database.url === 'memory', 'database.url: set DATABASE_URL to postgres://… or sqlite:PATH'],
    [
      config.password.memoryKiB < 19_456 || config.password.passes < 2,
      'password: argon2id needs at least 19456 KiB and 2 passes',
    ],
    [
      config.clients.some(({ insecureLocalhostRedirects }) => insecureLocalhostRedirects),
      'clients: insecureLocalhostRedirects is for development only',
    ],
  ]
  return problems.filter(([unsafe]) => unsafe).map(([, problem]) => problem)
}
