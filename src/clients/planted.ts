import { plainHash } from '../base/index.ts'
import type { Client, ClientSettings, PublicKey } from './client.ts'

/**
 * What proves to be a client, or receives what is issued to it: its keys, and the addresses that codes and links lead to.
 * Each by a name that stays the same while the thing itself does, whatever else of the client changes.
 */
function* namesOf({
  jwks,
  redirectUris = [],
  emailMagicLinkRedirectUri: link,
}: Partial<ClientSettings>): Iterable<readonly [name: string, label: string]> {
  for (const key of jwks?.keys ?? []) yield [nameOfKey(key), `jwks: the key ${key.kid ?? 'without a kid'}`]
  for (const uri of redirectUris) yield [`redirect ${plainHash(uri)}`, `redirect_uris: ${uri.slice(0, 100)}`]
  if (link) yield [`link ${plainHash(link)}`, `email_magic_link_redirect_uri: ${link.slice(0, 100)}`]
}

/** By what verifies, not by its `kid`: the same key under another name is the same. */
const nameOfKey = ({ kty, n, e, crv, x, y }: PublicKey): string =>
  `key ${plainHash(JSON.stringify(kty === 'RSA' ? [kty, n, e] : [kty, crv, x, y]))}`

/**
 * Notes who has set the keys and addresses of new settings (A58). What was there before stays whose it was, also where an
 * administrator sends it again: a tool that reads an app, changes its label and writes it back vouches for nothing.
 *
 * @param scopes those of the service client that sets them; undefined: an administrator does
 */
export function withPlanted(
  settings: ClientSettings,
  before: ClientSettings | undefined,
  scopes: readonly string[] | undefined,
): ClientSettings {
  const present = new Set([...namesOf(before ?? {})].map(([name]) => name))
  const entries = [...namesOf(settings)].flatMap(([name]) => {
    const by = present.has(name) ? before?.planted?.[name] : scopes
    return by === undefined ? [] : [[name, by] as const]
  })
  const { planted: _, ...rest } = settings
  return entries.length === 0 ? rest : { ...rest, planted: Object.fromEntries(entries) }
}

/** The keys, addresses and secrets of a client that a service client has set: in words, and by which scopes. */
export const plantedBy = ({
  settings,
  secrets,
}: Client): readonly { readonly what: string; readonly scopes: readonly string[] }[] => [
  ...[...namesOf(settings)].flatMap(([name, what]) => {
    const scopes = settings.planted?.[name]
    return scopes === undefined ? [] : [{ what, scopes }]
  }),
  ...secrets.flatMap(({ plantedBy: scopes }) =>
    scopes ? [{ what: 'client_secret: a secret', scopes }] : [],
  ),
]
