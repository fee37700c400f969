import type { ProtocolError } from '../base/index.ts'
import { acceptedRedirects, type Client, isRedirectUriRegistered, listClients } from '../clients/index.ts'
import { findActiveClient } from './client-auth.ts'
import type { Form } from './form.ts'
import type { Parts } from './parts.ts'
import { describeUri } from './recorder.ts'
import { type AuthorizationServer, scopes } from './server.ts'

/**
 * What a developer changes so that a refused call of an app succeeds: what is registered, and where to add what is
 * missing. It names clients and redirect URIs, so it is for development only; undefined for errors that say all.
 */
export async function hintFor(
  parts: Parts,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly clientId: string },
  error: ProtocolError,
): Promise<string | undefined> {
  const { description } = error
  const { db } = parts.storage
  if (error.code === 'invalid_scope') return `Scopes of this server: ${scopes.join(', ')}.`
  if (/code_challenge/.test(description)) {
    return "PKCE is required. Okta's SDK sends it; otherwise send code_challenge=base64url(SHA-256(code_verifier)) and code_challenge_method=S256."
  }
  if (error.code !== 'invalid_client' && !/redirect_uri|client_id/.test(description)) return undefined
  const client = await findActiveClient(db, call.clientId)
  const all = (await listClients(db)).filter(({ status }) => status === 'ACTIVE')
  if (client === undefined) {
    const known = all.slice(0, 10).map(({ id, label }) => `${id} (${label})`)
    return `Registered clients: ${known.join(', ') || 'none'}. ${whereToAdd(server, 'a client', 'clients')}`
  }
  if (error.code === 'invalid_client') {
    return client.id === 'rekey-web'
      ? 'The secret of rekey-web is printed when rekey dev starts.'
      : `Compare the secret of the app with that of the client ${client.id} in rekey.config.`
  }
  const uri = call.form.get('redirect_uri')
  return uri === undefined ? undefined : redirectUriHint(server, client, all, uri)
}

/** What a client that is registered so for development accepts, as `isRedirectUriRegistered` does. */
const anyLocalhost = 'any http://localhost address with a port and no query'

function redirectUriHint(
  server: AuthorizationServer,
  client: Client,
  all: readonly Client[],
  uri: string,
): string {
  const lenient = all.find(
    (other) =>
      other.id !== client.id &&
      other.settings.insecureLocalhostRedirects &&
      isRedirectUriRegistered(other, uri),
  )
  return [
    `${describeUri(uri)} is not registered for ${client.id} (registered: ${acceptedRedirects(client)}).`,
    whereToAdd(server, 'it', `clients[].redirectUris`, `/${client.id}`),
    ...(lenient !== undefined
      ? [`Without a secret, a browser app may use the client ${lenient.id}, which accepts ${anyLocalhost}.`]
      : []),
  ].join(' ')
}

function whereToAdd({ oauth }: AuthorizationServer, what: string, key: string, path = ''): string {
  const base = baseOf(oauth)
  const call = path === '' ? `POST ${base}/api/v1/apps` : `PUT ${base}/api/v1/apps${path}`
  return `Add ${what}: ${key} in rekey.config, the admin page ${base}/admin, or ${call}.`
}

/** The engine's public address, by the address of a server's endpoints. */
export const baseOf = (oauth: string): string => oauth.replace(/\/oauth2(\/default)?$/, '')

/** As RFC 6749, section 5.2 allows in `error_description`: printable ASCII without quotes and backslashes. */
export const asDescription = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
