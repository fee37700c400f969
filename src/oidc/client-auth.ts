import { AsyncLocalStorage } from 'node:async_hooks'
import { plainHash, type Secrets } from '../base/index.ts'
import { type Client, findClient, isClientSecret, rehashClientSecret } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'
import { invalidRequest, oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'

export interface Caller {
  readonly client: Client
  /** Whether it authenticated with its secret. */
  readonly authenticated: boolean
}

/** What a client names itself by, in each way in which it may be meant, the likelier one first. */
interface Credentials {
  readonly clientIds: readonly [string, ...string[]]
  /** Empty where no secret was sent. */
  readonly clientSecrets: readonly string[]
}

type FoundClient = Promise<Client | undefined>
const clientCache = new AsyncLocalStorage<Map<string, FoundClient>>()

/** Looks a client up once per request: charging, the endpoint and the exchange recorder share the result. */
export const withClientCache = (call: () => void): void => clientCache.run(new Map(), call)

/** An active client, or undefined. Ids that cannot be registered are not looked up. */
export function findActiveClient(db: Db, id: string): FoundClient {
  const cached = clientCache.getStore()?.get(id)
  if (cached !== undefined) return cached
  const client = lookUp(db, id)
  clientCache.getStore()?.set(id, client)
  return client
}

const checkedSecrets = new WeakMap<Client, { readonly secret: string; readonly isRight: boolean }>()

/** As `isClientSecret`, once a request: charging and the endpoint share the client, and the result. */
export function isSecretOf(client: Client, secret: string, secrets: Secrets): boolean {
  const checked = checkedSecrets.get(client)
  if (checked?.secret === secret) return checked.isRight
  const isRight = isClientSecret(client, secret, secrets)
  checkedSecrets.set(client, { secret, isRight })
  return isRight
}

async function lookUp(db: Db, id: string): FoundClient {
  if (!/^[\x21-\x7e]{1,255}$/.test(id)) return undefined
  const client = await findClient(db, id)
  return client?.status === 'ACTIVE' ? client : undefined
}

/**
 * Identifies the calling client by `Authorization: Basic` or by the body (RFC 6749, section 2.3). A secret that is sent
 * is checked; whether one is required is decided by the endpoint. For public clients the SDK sends `base64(client_id)`
 * without a colon.
 */
export async function identifyCaller(
  db: Db,
  request: { readonly authorization: string | undefined; readonly form: Form },
  secrets: Secrets,
): Promise<Caller> {
  const basic = request.authorization === undefined ? undefined : readBasic(request.authorization)
  const credentials = combineCredentials(basic, request.form)
  const denied = (description: string, status: number) =>
    oauthError('invalid_client', description, { status, ...(basic && challenge) })

  const client = await findNamed(db, credentials)
  if (client === undefined) throw denied("Invalid value for 'client_id' parameter.", basic ? 401 : 400)
  if (credentials.clientSecrets.length === 0) return { client, authenticated: false }
  const secret = rightSecret(client, credentials, secrets)
  if (secret === undefined) throw denied('The client secret is not valid for this client.', 401)
  await rehashClientSecret(db, client, secret, secrets)
  return { client, authenticated: true }
}

async function findNamed(db: Db, { clientIds }: Credentials): FoundClient {
  for (const id of clientIds) {
    const client = await findActiveClient(db, id)
    if (client !== undefined) return client
  }
  return undefined
}

const rightSecret = (client: Client, { clientSecrets }: Credentials, secrets: Secrets): string | undefined =>
  clientSecrets.find((secret) => isSecretOf(client, secret, secrets))

export const challenge = { headers: { 'WWW-Authenticate': 'Basic realm="oauth2"' } }

/**
 * The Authorization header as RFC 6749, section 2.3.1 has it, for the library, which takes no other form; as it is where
 * it has no secret or is none. A wrong secret is replaced by another one that is wrong: it may have characters that the
 * library would call malformed, where every other endpoint says that the client is not authenticated.
 */
export async function canonicalBasic(
  db: Db,
  authorization: string | undefined,
  secrets: Secrets,
): Promise<string | undefined> {
  if (authorization === undefined) return undefined
  const credentials = basicOrNone(authorization)
  const client = credentials && (await findNamed(db, credentials))
  const [sent] = credentials?.clientSecrets ?? []
  if (credentials === undefined || sent === undefined) return authorization
  const right = client && rightSecret(client, credentials, secrets)
  const id = client?.id ?? credentials.clientIds[0].replace(/[^\x21-\x7e]/g, '?')
  const secret = right ?? `wrong ${plainHash(sent)}`
  return `Basic ${Buffer.from([id, secret].map(encodeURIComponent).join(':')).toString('base64')}`
}

function basicOrNone(authorization: string): Credentials | undefined {
  try {
    return readBasic(authorization)
  } catch {
    return undefined // The library says what is wrong with it.
  }
}

/** The client that an Authorization header names. */
export const clientIdOfBasic = (authorization: string): string => readBasic(authorization).clientIds[0]

function readBasic(authorization: string): Credentials {
  const [, encoded] = /^basic ([\w+/=-]+)$/i.exec(authorization) ?? []
  if (encoded === undefined) throw invalidRequest('The Authorization header is not a Basic one.')
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const id = colon < 0 ? text : text.slice(0, colon)
  const secret = colon < 0 ? '' : text.slice(colon + 1)
  return { clientIds: readings(id), clientSecrets: secret === '' ? [] : readings(secret) }
}

/**
 * What a part of the header may mean: form-encoded (RFC 6749, section 2.3.1), or as it is, as many clients send it and
 * Okta takes it. A secret with `%` or `+` differs between the two; the one that is the client's is meant.
 */
function readings(raw: string): readonly [string, ...string[]] {
  try {
    const decoded = decodeURIComponent(raw.replaceAll('+', ' '))
    return decoded === raw ? [raw] : [decoded, raw]
  } catch {
    return [raw]
  }
}

function combineCredentials(basic: Credentials | undefined, form: Form): Credentials {
  const clientId = optional(form, 'client_id')
  const clientSecret = optional(form, 'client_secret')
  if (basic === undefined) {
    if (clientId === undefined) throw invalidRequest("The 'client_id' parameter is required.")
    return { clientIds: [clientId], clientSecrets: clientSecret === undefined ? [] : [clientSecret] }
  }
  if (clientId !== undefined && !basic.clientIds.includes(clientId)) {
    throw invalidRequest("The 'client_id' parameter differs from the Authorization header.")
  }
  if (basic.clientSecrets.length > 0 && clientSecret !== undefined) {
    throw invalidRequest('A client may authenticate in one way only.')
  }
  return {
    clientIds: clientId === undefined ? basic.clientIds : [clientId],
    clientSecrets: clientSecret === undefined ? basic.clientSecrets : [clientSecret],
  }
}
