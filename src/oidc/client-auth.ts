import { AsyncLocalStorage } from 'node:async_hooks'
import type { Secrets } from '../base/index.ts'
import {
  type Client,
  findClient,
  isClientSecret,
  isConfidential,
  rehashClientSecret,
} from '../clients/index.ts'
import type { Db } from '../storage/index.ts'
import { invalidRequest, oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'

export interface Caller {
  readonly client: Client
  /** Whether it authenticated with its secret. */
  readonly authenticated: boolean
}

interface Credentials {
  readonly clientId: string
  readonly clientSecret: string | undefined
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

  const client = await findActiveClient(db, credentials.clientId)
  if (client === undefined) throw denied("Invalid value for 'client_id' parameter.", basic ? 401 : 400)
  if (credentials.clientSecret === undefined) return { client, authenticated: false }
  if (!isSecretOf(client, credentials.clientSecret, secrets)) {
    throw denied('The client secret is not valid for this client.', 401)
  }
  await rehashClientSecret(db, client, credentials.clientSecret, secrets)
  return { client, authenticated: true }
}

const challenge = { headers: { 'WWW-Authenticate': 'Basic realm="oauth2"' } }

/** As `identifyCaller`, for endpoints where a confidential client must authenticate. */
export async function authenticateCaller(...args: Parameters<typeof identifyCaller>): Promise<Caller> {
  const caller = await identifyCaller(...args)
  if (isConfidential(caller.client) && !caller.authenticated) {
    throw oauthError('invalid_client', 'A client secret is required for this client.', {
      status: 401,
      ...challenge,
    })
  }
  return caller
}

export function readBasic(authorization: string): Credentials {
  const [, encoded] = /^basic ([\w+/=-]+)$/i.exec(authorization) ?? []
  if (encoded === undefined) throw invalidRequest('The Authorization header is not a Basic one.')
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return { clientId: decodePart(text), clientSecret: undefined }
  return {
    clientId: decodePart(text.slice(0, colon)),
    clientSecret: decodePart(text.slice(colon + 1)) || undefined,
  }
}

/**
 * Both parts are form-encoded (RFC 6749, section 2.3.1). Ids and secrets of clients that skip this have no `%` or `+`.
 */
function decodePart(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return raw
  }
}

function combineCredentials(basic: Credentials | undefined, form: Form): Credentials {
  const clientId = optional(form, 'client_id')
  const clientSecret = optional(form, 'client_secret')
  if (basic === undefined) {
    if (clientId === undefined) throw invalidRequest("The 'client_id' parameter is required.")
    return { clientId, clientSecret }
  }
  if (clientId !== undefined && clientId !== basic.clientId) {
    throw invalidRequest("The 'client_id' parameter differs from the Authorization header.")
  }
  if (basic.clientSecret !== undefined && clientSecret !== undefined) {
    throw invalidRequest('A client may authenticate in one way only.')
  }
  return { clientId: basic.clientId, clientSecret: basic.clientSecret ?? clientSecret }
}
