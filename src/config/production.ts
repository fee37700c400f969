import { isTestSecret } from '../captcha/index.ts'
import { parseDatabaseUrl } from '../storage/index.ts'
import type { Config } from './options.ts'

/** The prefix of all secrets that `rekey dev` generates, so that production recognises and refuses copied ones. */
export const insecureDevPrefix = 'insecure-dev-only-'

/** Whether a secret is too short to bind a database to. */
export const isShortSecret = (secret: string): boolean => secret.length < 32

/** What is wrong with a first secret that is too short, and the way out where a database has one already. */
export const shortSecret =
  'the first must have 32 characters or more; of a database that has a shorter one, put a new one before it, with a comma between'

interface Rule {
  readonly option: string
  readonly isUnsafe: (config: Config) => boolean
  readonly words: string
}

/** Settings that are fine in development and insecure in production. */
const rules: readonly Rule[] = [
  {
    option: 'management.host',
    isUnsafe: ({ issuer, management }) =>
      management.host !== undefined && management.host === URL.parse(issuer ?? '')?.hostname,
    words: 'must not be the host of the issuer: the admin page would share its origin with the sign-in pages',
  },
  {
    option: 'secrets',
    isUnsafe: ({ secrets }) => secrets.length === 0,
    words:
      'set REKEY_SECRET (or REKEY_SECRET_FILE) to a random text of 32 characters or more, such as from: openssl rand -base64 32',
  },
  {
    option: 'secrets',
    // Only of the first is new data made. One that stands behind it is on its way out, and what it sealed must be readable.
    isUnsafe: ({ secrets: [first] }) => first !== undefined && isShortSecret(first),
    words: shortSecret,
  },
  {
    option: 'secrets',
    isUnsafe: ({ secrets }) => secrets.some((secret) => secret.startsWith(insecureDevPrefix)),
    words: 'the secret of rekey dev is for development only; generate a new one: openssl rand -base64 32',
  },
  {
    option: 'issuer',
    isUnsafe: ({ issuer }) => issuer === undefined,
    words: 'set REKEY_ISSUER to the public address, such as https://id.example.com',
  },
  {
    option: 'issuer',
    isUnsafe: ({ issuer }) => issuer !== undefined && !isPublicAddress(issuer),
    words:
      'must be an https address without query, such as https://id.example.com: tokens and mailed links contain it',
  },
  {
    option: 'database.url',
    isUnsafe: ({ database }) => parseDatabaseUrl(database.url).kind === 'memory',
    words:
      'set DATABASE_URL (or DATABASE_URL_FILE) to postgres://… or sqlite:PATH: data in memory is lost at the end',
  },
  {
    option: 'mail.url',
    isUnsafe: ({ mail }) => mail.url === undefined && mail.deliver,
    words:
      'set SMTP_URL (or SMTP_URL_FILE) to the mail server, such as smtp://user:password@mail.example.com:587',
  },
  {
    option: 'telephony.hook.secret',
    isUnsafe: ({ telephony }) => telephony.hook.url !== undefined && telephony.hook.secret === undefined,
    words:
      'set REKEY_TELEPHONY_SECRET (or REKEY_TELEPHONY_SECRET_FILE): without it anyone could have the service send texts',
  },
  {
    option: 'captcha.secret',
    isUnsafe: ({ captcha }) => captcha.secret !== undefined && isTestSecret(captcha.secret),
    words: 'is a published secret for tests, with which every answer passes',
  },
  {
    option: 'password',
    isUnsafe: ({ password }) => password.memoryKiB < 19_456 || password.passes < 2,
    words: 'argon2id requires memoryKiB of at least 19456 and passes of at least 2',
  },
  {
    option: 'clients',
    isUnsafe: ({ clients }) => clients.some(({ insecureLocalhostRedirects }) => insecureLocalhostRedirects),
    words: 'insecureLocalhostRedirects is for development only',
  },
  {
    option: 'clients',
    isUnsafe: ({ clients }) => clients.some(({ secret }) => secret?.startsWith(insecureDevPrefix)),
    words: 'the client secret of rekey dev is for development only',
  },
  {
    option: 'management.apiToken',
    isUnsafe: ({ management }) => management.apiToken?.startsWith(insecureDevPrefix) ?? false,
    words: 'the token of rekey dev is for development only',
  },
]

function isPublicAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, search, hash, username } = new URL(text)
  return protocol === 'https:' && search === '' && hash === '' && username === ''
}

/** The settings that production refuses. Malformed options are reported elsewhere: only those that `isSound` are checked. */
export const unsafeInProduction = (
  config: Config,
  isSound: (option: string) => boolean,
): readonly (readonly [option: string, words: string])[] =>
  rules
    .filter(({ option, isUnsafe }) => isSound(option) && isUnsafe(config))
    .map(({ option, words }) => [option, words])
