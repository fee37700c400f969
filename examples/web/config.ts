import { randomBytes } from 'node:crypto'

/** What the app needs to know. */
export interface Config {
  /** The authorization server, such as `https://example.okta.com/oauth2/default`. */
  readonly issuer: string
  readonly clientId: string
  /** Absent for a public client. */
  readonly clientSecret: string | undefined
  /** Where browsers find this app, without a slash at the end. */
  readonly appUrl: string
  readonly sessionSecret: string
  /** Express' `trust proxy` setting, such as `loopback`; by default nobody's X-Forwarded-For is believed. */
  readonly trustProxy: string | undefined
  /** A page that shows the mails of a development engine. */
  readonly inboxUrl: string | undefined
}

/** The settings before the server listens: without `APP_URL`, the app's address is known only then. */
export type Settings = Omit<Config, 'appUrl'> & { readonly appUrl: string | undefined }

/** Reads the settings from the environment. Throws an error that names what is missing. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const missing = ['ISSUER', 'CLIENT_ID'].filter((name) => !env[name])
  if (missing.length > 0) throw new Error(`Set ${missing.join(' and ')} in the environment.`)
  return {
    issuer: env.ISSUER ?? '',
    clientId: env.CLIENT_ID ?? '',
    clientSecret: env.CLIENT_SECRET || undefined,
    appUrl: env.APP_URL?.replace(/\/+$/, '') || undefined,
    // Sessions live in memory, so a secret that lasts as long as the process loses nothing.
    sessionSecret: env.SESSION_SECRET || randomBytes(32).toString('base64url'),
    trustProxy: env.TRUST_PROXY || undefined,
    inboxUrl: env.INBOX_URL || undefined,
  }
}
