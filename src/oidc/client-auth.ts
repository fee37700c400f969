import { AsyncLocalStorage } from 'node:async_hooks'
import type { Secrets } from '../base/index.ts'
import { type Client, findClient, isClientSecret, isConfidential } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'
import { invalidRequest, oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'

export interface Caller {
  readonly client: Client
  /** Whether it has proven itself with its secret. */
  readonly authenticated: boolean
}

interface Credentials {
  readonly clientId: string
  readonly clientSecret: string | undefined
}

type Found = Promise<Client | undefined>
const lookedUp = new AsyncLocalStorage<Map<string, Found>>()

/** Within one call a client is looked up once, however many ask for it: who charges, who answers, who watches. */
export const withClientCache = (call: () => void): void => lookedUp.run(new Map(), call)

/** An active client, or undefined. Ids that could not have been registered are not looked up at all. */
export function findActiveClient(db: Db, id: string): Found {
  const known = lookedUp.getStore()?.get(id)
  if (known !== undefined) return known
  const client = lookUp(db, id)
  lookedUp.getStore()?.set(id, client)
  return client
}

async function lookUp(db: Db, id: string): Found {
  if (!/^[\x21-\x7e]{1,255}$/.test(id)) return undefined
  const client = await findClient(db, id)
  return client?.status === 'ACTIVE' ? client : undefined
}

/**
 * Who calls, by `Authorization: Basic` or by the body (RFC 6749, section 2.3). A secret that is sent is checked; whether
 * one must be sent is for the endpoint to say. The SDK sends `base64(client_id)` without a colon for public clients.
 */
export async function identifyCaller(
  db: Db,
  request: { readonly authorization: string | undefined; readonly form: Form },
  secrets: Secrets,
): Promise<Caller> {
  const basic = request.authorization === undefined ? undefined : readBasic(request.authorization)
  const credentials = oneOf(basic, request.form)
  const denied = (description: string, status: number) =>
    oauthError('invalid_client', description, { status, ...(basic && challenge) })

  const client = await findActiveClient(db, credentials.clientId)
  if (client === undefined) throw denied("Invalid value for 'client_id' parameter.", basic ? 401 : 400)
  if (credentials.clientSecret === undefined) return { client, authenticated: false }
  if (!isClientSecret(client, credentials.clientSecret, secrets)) {
    throw denied('The client secret is not valid for this client.', 401)
  }
  return { client, authenticated: true }
}

const challenge = { headers: { 'WWW-Authenticate': 'Basic realm="oauth2"' } }

/** As `identifyCaller`, for endpoints where a confidential client must prove itself. */
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
  const part = (raw: string) => decodePart(raw)
  if (colon < 0) return { clientId: part(text), clientSecret: undefined }
  return { clientId: part(text.slice(0, colon)), clientSecret: part(text.slice(colon + 1)) || undefined }
}

/** Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1); clients that skip it send no `%` or `+`. */
function decodePart(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return raw
  }
}

function oneOf(basic: Credentials | undefined, form: Form): Credentials {
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
