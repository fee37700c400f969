import { exportJWK, generateKeyPair, type JWK } from 'jose'
import {
  createSecrets,
  randomToken,
  type Secrets,
  s256,
  silentLogger,
  systemRandom,
  VirtualClock,
} from '../../src/base/index.ts'
import { createClient, type NewClient } from '../../src/clients/index.ts'
import { createPerson, ensureEveryone, getEveryone, type Person } from '../../src/directory/index.ts'
import { createHttp, type HttpOptions } from '../../src/http/index.ts'
import {
  completeInteraction,
  findInteractionByHandle,
  newInteractionCode,
} from '../../src/interactions/index.ts'
import { createOidc, type Oidc, type OidcOptions } from '../../src/oidc/index.ts'
import { newSessionId, startSession } from '../../src/sessions/index.ts'
import type { Storage } from '../../src/storage/index.ts'

export const redirectUri = 'https://app.example/callback'
export const signedOutUri = 'https://app.example/signed-out'

/** One engine's OAuth part, listening on a free port of this machine. */
export interface OAuthNode {
  readonly base: string
  readonly issuer: string
  readonly oidc: Oidc
  close(): Promise<void>
}

export interface RegisteredClient {
  readonly id: string
  readonly secret: string | undefined
}

/** People and clients in a database, and what a test needs to act for them. */
export interface OAuthWorld {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly clock: VirtualClock
  readonly person: Person
  readonly web: RegisteredClient
  readonly spa: RegisteredClient
  client(client: Partial<NewClient>): Promise<RegisteredClient>
}

let testKey: Promise<JWK> | undefined

/** One key for all tests of a file: making one takes a while. */
export function signingKey(): Promise<JWK> {
  testKey ??= generateKeyPair('RS256', { modulusLength: 2048, extractable: true }).then(({ privateKey }) =>
    exportJWK(privateKey),
  )
  return testKey
}

export async function createWorld(storage: Storage): Promise<OAuthWorld> {
  const clock = new VirtualClock()
  const secrets = createSecrets(['a master secret of tests'])
  const context = () => ({ random: systemRandom, secrets, now: clock.now() })
  await ensureEveryone(storage.db, context())
  const everyone = await getEveryone(storage.db)
  const person = await createPerson(
    storage.db,
    {
      profile: { login: 'ada', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' },
      status: 'ACTIVE',
    },
    context(),
  )
  async function client(settings: Partial<NewClient>): Promise<RegisteredClient> {
    const made = await createClient(
      storage.db,
      {
        label: 'An app',
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [signedOutUri],
        ...settings,
      },
      { ...context(), groupIds: [everyone.id] },
    )
    return { id: made.client.id, secret: made.secret }
  }
  const web = await client({})
  const spa = await client({
    applicationType: 'browser',
    redirectUris: [redirectUri, 'https://spa.example/in'],
  })
  return { storage, secrets, clock, person, web, spa, client }
}

export async function startNode(
  { storage, secrets, clock }: OAuthWorld,
  options: {
    readonly oidc?: Partial<OidcOptions>
    readonly http?: Partial<HttpOptions>
    readonly storage?: Storage
    readonly base?: string
    /** Keys from the database, as in production, instead of one given to save time. */
    readonly storedKeys?: boolean
  } = {},
): Promise<OAuthNode> {
  let base = options.base ?? ''
  const issuer = () => base
  const shared = { storage: options.storage ?? storage, random: systemRandom, log: silentLogger, issuer }
  const given = options.storedKeys ? {} : { signingKey: await signingKey() }
  const oidc = createOidc({ ...shared, secrets, clock, ...given, ...options.oidc })
  const app = createHttp({ ...shared, plugins: [oidc.routes], ...options.http })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  base ||= address.replace('127.0.0.1', 'localhost')
  return {
    base: address,
    get issuer() {
      return oidc.issuers().default
    },
    oidc,
    close: () => app.close(),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Record<string, unknown>
}

/** Posts a form as apps do. */
export async function post(
  url: string,
  form: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return answerOf(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form),
      redirect: 'manual',
    }),
  )
}

export const get = async (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  answerOf(await fetch(url, { headers, redirect: 'manual' }))

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} }
}

export const basic = ({ id, secret }: RegisteredClient): string =>
  `Basic ${Buffer.from(secret === undefined ? id : `${id}:${secret}`).toString('base64')}`

/** A verifier and the form of a good call of `interact`. */
export function beginning(
  client: RegisteredClient,
  changes: Readonly<Record<string, string | undefined>> = {},
) {
  const verifier = randomToken(systemRandom)
  const form = {
    client_id: client.id,
    scope: 'openid profile email offline_access',
    redirect_uri: redirectUri,
    code_challenge: s256(verifier),
    code_challenge_method: 'S256',
    state: 'a state',
    nonce: 'a nonce',
    ...changes,
  }
  const kept = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { verifier, form: Object.fromEntries(kept) }
}

/** Ends an interaction well, as the conversation in between would: a session and an interaction code. */
export async function complete(
  world: OAuthWorld,
  handle: string,
  options: { readonly amr?: readonly string[]; readonly codeLifetimeMs?: number } = {},
): Promise<{ readonly code: string; readonly sessionId: string }> {
  const { storage, clock, secrets, person } = world
  const now = clock.now()
  const interaction = await findInteractionByHandle(storage.db, handle, now)
  if (interaction === undefined) throw new Error('there is no such interaction')
  const sessionId = newSessionId(systemRandom)
  const code = newInteractionCode(systemRandom)
  await startSession(storage.db, {
    id: sessionId,
    personId: person.id,
    clientId: interaction.clientId,
    createdAt: now,
    expiresAt: now + 90 * 86_400_000,
    details: { amr: options.amr ?? ['pwd'] },
  })
  const codeExpiresAt = now + (options.codeLifetimeMs ?? 60_000)
  await completeInteraction(storage.db, interaction.id, { code, codeExpiresAt, sessionId }, secrets)
  return { code, sessionId }
}

/** Everything up to the code: what is left is the call of the token endpoint. */
export async function signIn(
  world: OAuthWorld,
  oauth: string,
  options: {
    readonly client?: RegisteredClient
    readonly changes?: Readonly<Record<string, string | undefined>>
    readonly amr?: readonly string[]
  } = {},
) {
  const client = options.client ?? world.web
  const { verifier, form } = beginning(client, options.changes)
  const { body } = await post(`${oauth}/v1/interact`, form)
  const { code, sessionId } = await complete(world, String(body.interaction_handle), options)
  const exchange = {
    grant_type: 'interaction_code',
    interaction_code: code,
    client_id: client.id,
    ...(client.secret !== undefined && { client_secret: client.secret }),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }
  return { client, code, verifier, sessionId, exchange }
}

export const refreshing = (
  client: RegisteredClient,
  token: unknown,
  changes: Record<string, string> = {},
) => ({
  grant_type: 'refresh_token',
  refresh_token: String(token),
  client_id: client.id,
  ...(client.secret !== undefined && { client_secret: client.secret }),
  ...changes,
})

export const claimsOf = (jwt: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(jwt).split('.')[1] ?? '', 'base64url').toString())
