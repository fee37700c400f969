import { AsyncLocalStorage } from 'node:async_hooks'
import type { ProtocolError, Secrets } from '../base/index.ts'
import { type Client, findClient, isClientSecret, rehashClientSecret } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'
import { type ClientRefusals, clientRefusals } from './client-refusals.ts'
import { type Form, optional } from './form.ts'

export interface Caller {
  readonly client: Client
  /** Whether it authenticated with its secret. */
  readonly authenticated: boolean
}

/** What of a request says which client it is of. */
export interface ClientCall {
  readonly form: Form
  readonly authorization: string | undefined
}

/** What a client names itself by, in each way in which it may be meant, the likelier one first. */
interface Credentials {
  readonly clientIds: readonly [string, ...string[]]
  /** Empty where no secret was sent. */
  readonly clientSecrets: readonly string[]
}

interface BasicCredentials extends Credentials {
  readonly hasColon: boolean
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
 *
 * @throws ProtocolError one of `refusals`
 */
export async function identifyCaller(
  db: Db,
  { form, authorization }: ClientCall,
  secrets: Secrets,
  refusals: ClientRefusals = clientRefusals,
): Promise<Caller> {
  const inHeader = authorization !== undefined
  const basic = inHeader ? readBasic(authorization, refusals.malformed) : undefined
  if (basic?.clientSecrets.length === 0 && refusals.bare) throw refusals.bare(basic.hasColon)
  const credentials = combineCredentials(basic, form, refusals)
  const client = await findNamed(db, credentials)
  if (client === undefined) throw refusals.unknown(inHeader)
  if (credentials.clientSecrets.length === 0) return { client, authenticated: false }
  const secret = rightSecret(client, credentials, secrets)
  if (secret === undefined) throw refusals.wrongSecret(inHeader)
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

/** The client that an Authorization header names; undefined where it is not a Basic one. */
export const clientIdOfBasic = (authorization: string): string | undefined =>
  basicOf(authorization)?.clientIds[0]

function readBasic(authorization: string, malformed: ProtocolError): BasicCredentials {
  const basic = basicOf(authorization)
  if (basic === undefined) throw malformed
  return basic
}

/** RFC 7617, section 2. */
function basicOf(authorization: string): BasicCredentials | undefined {
  const [, encoded] = /^basic ([\w+/=-]+)$/i.exec(authorization) ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const id = colon < 0 ? text : text.slice(0, colon)
  const secret = colon < 0 ? '' : text.slice(colon + 1)
  const clientSecrets = secret === '' ? [] : readings(secret)
  return { clientIds: readings(id), clientSecrets, hasColon: colon >= 0 }
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

function combineCredentials(
  basic: Credentials | undefined,
  form: Form,
  { unnamed, mismatch, several }: ClientRefusals,
): Credentials {
  const clientId = optional(form, 'client_id')
  const clientSecret = optional(form, 'client_secret')
  if (clientId !== undefined && basic?.clientIds.includes(clientId) === false) throw mismatch
  if (basic !== undefined && basic.clientSecrets.length > 0 && clientSecret !== undefined) throw several
  const clientIds = clientId === undefined ? basic?.clientIds : ([clientId] as const)
  if (clientIds === undefined || clientIds[0] === '') throw unnamed
  return {
    clientIds,
    clientSecrets: clientSecret === undefined ? (basic?.clientSecrets ?? []) : [clientSecret],
  }
}
