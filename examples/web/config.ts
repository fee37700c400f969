import { randomBytes } from 'node:crypto'

/** The configuration of the app. */
export interface Config {
  /** The authorization server, such as `https://example.okta.com/oauth2/default`. */
  readonly issuer: string
  readonly clientId: string
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined
  /** The public address of the app, without a slash at the end. */
  readonly appUrl: string
  readonly sessionSecret: string
  /** The `trust proxy` setting of Express, such as `loopback`. By default X-Forwarded-For is ignored. */
  readonly trustProxy: string | undefined
  /** The inbox of a development engine. */
  readonly inboxUrl: string | undefined
  /** How long a mailed code works, as text such as `5 minutes`; undefined if it is not known here. */
  readonly codeLifetime: string | undefined
  /** The script of the captcha where it is not the provider's: of a test double. */
  readonly captchaScript?: string | undefined
  /** Whether users manage their sign-in methods here: the app needs the scopes of `my-account.ts` for that. */
  readonly managesMethods: boolean
}

/** The settings before the server listens. Without `APP_URL` the address of the app is known only afterwards. */
export type Settings = Omit<Config, 'appUrl'> & { readonly appUrl: string | undefined }

/** Reads the settings from the environment. Throws an error that lists missing variables. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const missing = ['ISSUER', 'CLIENT_ID'].filter((name) => !env[name])
  if (missing.length > 0) throw new Error(`Set ${missing.join(' and ')} in the environment.`)
  return {
    issuer: env.ISSUER ?? '',
    clientId: env.CLIENT_ID ?? '',
    clientSecret: env.CLIENT_SECRET || undefined,
    appUrl: env.APP_URL?.replace(/\/+$/, '') || undefined,
    // Sessions are in memory, so a secret per process is sufficient.
    sessionSecret: env.SESSION_SECRET || randomBytes(32).toString('base64url'),
    trustProxy: env.TRUST_PROXY || undefined,
    inboxUrl: env.INBOX_URL || undefined,
    codeLifetime: env.CODE_LIFETIME || undefined,
    captchaScript: env.CAPTCHA_SCRIPT || undefined,
    managesMethods: env.MANAGE_METHODS === 'yes',
  }
}
