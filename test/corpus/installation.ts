import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { simpleParser } from 'mailparser'
import pg from 'pg'
import { checkConfig, type Engine, openEngine } from '../../src/index.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { start } from './mask.ts'

/** An installation of its own: the one that the databases of the corpus are of. */

export const secret = 'the secret of the installation of the corpus'
export const apiToken = 'the-api-token-of-the-installation-of-the-corpus'
export const password = 'Tangerine-Kettle-42'
export const newPassword = 'Lighthouse-Biscuit-77'
export const redirectUri = 'http://localhost:8080/login/callback'
export const web = { id: 'corpus-web', secret: 'the secret of the web client' }
/** Argon2id as weak as it goes: the hashes are for tests alone. */
export const hash = { memoryKiB: 8, passes: 1, lanes: 1 }
export const verifier = 'a-verifier-of-pkce-that-is-long-enough-for-rfc-7636'

const issuer = 'https://id.example.com'
const folder = join(import.meta.dirname, 'databases')

// biome-ignore lint/suspicious/noExplicitAny: the wire as it is.
export type Wire = any

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Wire
}

export interface Mail {
  readonly to: string
  readonly code: string
  readonly link: string
}

export interface Client {
  readonly id: string
  readonly secret: string
}

/** What a transaction that others began needs to go on. */
export interface Open {
  readonly login: string
  readonly stateHandle: string
  readonly interactionHandle: string
}

/** What stands in a database and cannot be read out of it. */
export interface Facts {
  /** The engine's clock when the database was left. */
  readonly at: number
  readonly users: Readonly<
    Record<string, { readonly id: string; readonly login: string; readonly password: string }>
  >
  readonly group: { readonly id: string; readonly name: string }
  /** An app that was registered over the API, whose access policy asks for two factors. */
  readonly app: Client
  readonly policies: { readonly password: string; readonly access: string }
  readonly open: {
    readonly identify: Open
    readonly select: Open
    /** The mail with its code has been delivered. */
    readonly verify: Open & { readonly code: string; readonly link: string }
    /** Four wrong codes were given. */
    readonly almostLocked: Open & { readonly code: string }
    readonly reset: Open
    readonly reenroll: Open
    /** At the app: the password is proven, the code is not. */
    readonly secondFactor: Open & { readonly code: string }
    /** The mail stands in the outbox. */
    readonly queued: Open
    /** Of a user who does not exist: it waits for a code that was never mailed; one wrong one was given. */
    readonly unknown: Open
    /** Begun with a token that an administrator handed out: it waits for the new password. */
    readonly byToken: Open
    /** Ended with an interaction code. */
    readonly over: Open
  }
  readonly session: {
    readonly login: string
    readonly accessToken: string
    readonly refreshToken: string
    readonly idToken: string
  }
  /** One that was refreshed: the first token is spent. */
  readonly refreshed: { readonly login: string; readonly spent: string; readonly refreshToken: string }
  readonly interactionCode: { readonly login: string; readonly code: string }
  readonly recoveryToken: { readonly login: string; readonly token: string }
  /** A mail of an administrator that stands in the outbox. */
  readonly queuedByAdmin: { readonly login: string }
}

export interface Installation {
  readonly engine: Engine
  call(
    method: string,
    path: string,
    init?: {
      readonly json?: unknown
      readonly form?: Record<string, string>
      readonly headers?: Record<string, string>
    },
  ): Promise<Answer>
  api(method: string, path: string, json?: unknown): Promise<Answer>
  interact(client?: Client, more?: Record<string, string>): Promise<Answer>
  /** Begins a transaction. */
  begin(login: string, client?: Client, more?: Record<string, string>): Promise<Open>
  idx(open: Open, path: string, input?: object): Promise<Answer>
  redeem(code: string, client?: Client): Promise<Answer>
  refresh(token: string, client?: Client): Promise<Answer>
  /** The next mail to an address. */
  mail(to: string): Promise<Mail>
  close(): Promise<void>
}

/** Opens the installation on a database at a moment, with a mailbox of its own. */
export async function openInstallation(
  url: string,
  { at = Date.parse(start), delivers = true }: { readonly at?: number; readonly delivers?: boolean } = {},
): Promise<Installation> {
  const smtp = await startSmtpServer()
  const clock = { now: () => at }
  const config = checkConfig({
    mode: 'test',
    issuer,
    secrets: [secret],
    database: { url },
    http: { port: 0 },
    // The type of the levels is of none that is written out.
    log: { level: 'silent' as never },
    mail: { url: smtp.url, from: 'no-reply@id.example.com', spreadMs: 0, deliver: delivers },
    password: hash,
    management: { apiToken },
    clients: [
      {
        ...web,
        label: 'Web app of the corpus',
        applicationType: 'web',
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [],
      },
    ],
  })
  const engine = await openEngine(config, { clock, tokens: 'virtual' })
  const base = `http://localhost:${engine.port}`
  const readTo = new Map<string, number>()

  const call: Installation['call'] = async (method, path, { json, form, headers = {} } = {}) => {
    const response = await fetch(path.startsWith(issuer) ? path.replace(issuer, base) : `${base}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  const credentials = (client: Client) => ({ client_id: client.id, client_secret: client.secret })
  const token = (form: Record<string, string>) => call('POST', '/oauth2/default/v1/token', { form })

  const installation: Installation = {
    engine,
    call,
    api: (method, path, json) =>
      call(method, `/api/v1${path}`, {
        ...(json !== undefined && { json }),
        headers: { authorization: `SSWS ${apiToken}` },
      }),
    interact: (client = web, more = {}) =>
      call('POST', '/oauth2/default/v1/interact', {
        form: {
          ...credentials(client),
          redirect_uri: redirectUri,
          scope: 'openid profile email offline_access',
          state: 'state of the app',
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          ...more,
        },
      }),
    async begin(login, client, more) {
      const interactionHandle = String((await installation.interact(client, more)).body.interaction_handle)
      const { body } = await call('POST', '/idp/idx/introspect', { json: { interactionHandle } })
      return { login, interactionHandle, stateHandle: String(body.stateHandle) }
    },
    idx: ({ stateHandle }, path, input = {}) =>
      call('POST', `/idp/idx/${path}`, { json: { stateHandle, ...input } }),
    redeem: (code, client = web) =>
      token({
        grant_type: 'interaction_code',
        interaction_code: code,
        ...credentials(client),
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    refresh: (refreshToken, client = web) =>
      token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...credentials(client) }),
    async mail(to) {
      const seen = readTo.get(to) ?? 0
      for (let waited = 0; waited < 60_000; waited += 10) {
        const next = smtp.received.filter((mail) => mail.to.includes(to))[seen]
        if (next !== undefined) {
          readTo.set(to, seen + 1)
          const { text = '', html } = await simpleParser(next.source)
          const link = /<a id="[^"]*" href="([^"]+)"/.exec(html || '')?.[1]?.replaceAll('&amp;', '&') ?? ''
          return { to, code: /^.*\b(\d{6})\b/m.exec(text.replaceAll(/https?:\S+/g, ''))?.[1] ?? '', link }
        }
        await pause(10)
      }
      throw new Error(`no mail came to ${to}`)
    },
    async close() {
      await engine.close()
      await smtp.close()
    },
  }
  return installation
}

/** The names of the remediations of an answer, or `interaction_code`, or the keys of its messages. */
export function leadsTo({ body }: Answer): string {
  if (codeOf(body) !== '') return 'interaction_code'
  const names = (body.remediation?.value ?? []).map((form: Wire) => form.name)
  const keys = (body.messages?.value ?? []).map((message: Wire) => message.i18n.key)
  return [...names, ...keys].join(' ')
}

export const codeOf = (body: Wire): string =>
  body.successWithInteractionCode?.value.find((field: Wire) => field.name === 'interaction_code')?.value ?? ''

/** Chooses a method of those that an answer offers. */
export const chosen = ({ body }: Answer, key: string) => ({
  authenticator: { id: body.authenticators.value.find((one: Wire) => one.key === key)?.id },
})

export const passcode = (value: string) => ({ credentials: { passcode: value } })

export type Kind = 'sqlite' | 'postgres'
export const files = (kind: Kind) => ({
  database: join(folder, kind === 'sqlite' ? 'sqlite.db.gz' : 'postgres.sql.gz'),
  exported: join(folder, `${kind}.jsonl`),
  facts: join(folder, `${kind}.json`),
})

export const factsOf = (kind: Kind): Facts => JSON.parse(readFileSync(files(kind).facts, 'utf8')) as Facts

export const packed = (bytes: Uint8Array): Buffer => gzipSync(bytes, { level: 9 })
export const unpacked = (kind: Kind): Buffer => gunzipSync(readFileSync(files(kind).database))

/** A dump without what only psql and one version of the server understand. */
export const plainDump = (dump: string): string =>
  dump
    .split('\n')
    .filter((line) => !/^(--|\\|SET |SELECT pg_catalog\.set_config)/.test(line) && line !== '')
    .join('\n')

/** Puts a dump into an empty database. */
export async function restorePostgres(url: string, dump: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(dump)
  } finally {
    await client.end()
  }
}

/** Leaves all of a SQLite database in its one file, as small as it can be. */
export function settleSqlite(path: string): void {
  const database = new DatabaseSync(path)
  database.exec('pragma wal_checkpoint(truncate)')
  database.exec('pragma journal_mode = delete')
  database.exec('vacuum')
  database.close()
}
