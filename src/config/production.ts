import type { Config } from './options.ts'

/** How the secrets begin that `rekey dev` makes, so that one that was copied is known wherever it turns up. */
export const insecureDevPrefix = 'insecure-dev-only-'

interface Rule {
  readonly option: string
  readonly isUnsafe: (config: Config) => boolean
  readonly words: string
}

/** What must not reach production: each is fine on a laptop and an open door on the internet. */
const rules: readonly Rule[] = [
  {
    option: 'secrets',
    isUnsafe: ({ secrets }) => secrets.length === 0,
    words:
      'set REKEY_SECRET (or REKEY_SECRET_FILE) to a random text of 32 characters or more, such as from: openssl rand -base64 32',
  },
  {
    option: 'secrets',
    isUnsafe: ({ secrets }) => secrets.some((secret) => secret.length < 32),
    words: 'each must have 32 characters or more',
  },
  {
    option: 'secrets',
    isUnsafe: ({ secrets }) => secrets.some((secret) => secret.startsWith(insecureDevPrefix)),
    words: 'the secret of rekey dev is for development only, make a new one: openssl rand -base64 32',
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
      'must be an https address without query, such as https://id.example.com: tokens and mailed links are made of it',
  },
  {
    option: 'database.url',
    isUnsafe: ({ database }) => database.url === 'memory',
    words: 'set DATABASE_URL to postgres://… or sqlite:PATH',
  },
  {
    option: 'mail.url',
    isUnsafe: ({ mail }) => mail.url === undefined && mail.deliver,
    words: 'set SMTP_URL to the mail server, such as smtp://user:password@mail.example.com:587',
  },
  {
    option: 'password',
    isUnsafe: ({ password }) => password.memoryKiB < 19_456 || password.passes < 2,
    words: 'argon2id needs memoryKiB of 19456 and passes of 2, or more',
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

/** What of a configuration production refuses. Options that are malformed are left out: `isSound` says which are not. */
export const unsafeInProduction = (
  config: Config,
  isSound: (option: string) => boolean,
): readonly (readonly [option: string, words: string])[] =>
  rules
    .filter(({ option, isUnsafe }) => isSound(option) && isUnsafe(config))
    .map(({ option, words }) => [option, words])
