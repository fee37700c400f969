import { plainHash } from '../base/index.ts'
import type { Client, ClientSettings, Planted, PublicKey } from './client.ts'

/**
 * What proves to be a client, or receives what is issued to it: its keys, and the addresses that codes and links lead to.
 * Each by a name that stays the same while the thing itself does, whatever else of the client changes.
 */
function* namesOf({
  jwks,
  redirectUris = [],
  emailMagicLinkRedirectUri: link,
  backchannelLogoutUri: logout,
}: Partial<ClientSettings>): Iterable<readonly [name: string, label: string]> {
  for (const key of jwks?.keys ?? []) yield [nameOfKey(key), `jwks: the key ${key.kid ?? 'without a kid'}`]
  for (const uri of redirectUris)
    yield [`redirect ${plainHash(addressOf(uri))}`, `redirect_uris: ${uri.slice(0, 100)}`]
  if (link)
    yield [`link ${plainHash(addressOf(link))}`, `email_magic_link_redirect_uri: ${link.slice(0, 100)}`]
  if (logout)
    yield [`logout ${plainHash(addressOf(logout))}`, `backchannel_logout_uri: ${logout.slice(0, 100)}`]
}

/**
 * By what verifies, not by its `kid` or how its numbers are written: the same key under another name, or as a library
 * encodes it anew, is the same.
 */
const nameOfKey = ({ kty, n, e, crv, x, y }: PublicKey): string =>
  `key ${plainHash(JSON.stringify(kty === 'RSA' ? [kty, numberOf(n), numberOf(e)] : [kty, crv, numberOf(x), numberOf(y)]))}`

/** A number of a key in the one way of writing it that all share: without leading zeros. */
const numberOf = (text = ''): string =>
  Buffer.from(
    Buffer.from(text, 'base64url')
      .toString('hex')
      .replace(/^(00)+/, ''),
    'hex',
  ).toString('base64url')

/** An address as a URL library writes it: in another case of its host it leads to the same place. */
const addressOf = (uri: string): string => (URL.canParse(uri) ? new URL(uri).href : uri)

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
  // By scopes: a list of a hundred is stored once, and not with each of a hundred addresses.
  const planted = new Map<string, Planted>()
  for (const name of new Set([...namesOf(settings)].map(([one]) => one))) {
    const by = present.has(name) ? scopesOf(before, name) : scopes
    if (by === undefined) continue
    const list = JSON.stringify(by)
    planted.set(list, { scopes: by, names: [...(planted.get(list)?.names ?? []), name] })
  }
  const { planted: _, ...rest } = settings
  return planted.size === 0 ? rest : { ...rest, planted: [...planted.values()] }
}

/** The scopes of who has set a thing; undefined: an administrator has. */
const scopesOf = (
  settings: Partial<ClientSettings> | undefined,
  name: string,
): readonly string[] | undefined => settings?.planted?.find(({ names }) => names.includes(name))?.scopes

/** The keys, addresses and secrets of a client that a service client has set: in words, and by which scopes. */
export const plantedBy = ({
  settings,
  secrets,
}: Client): readonly { readonly what: string; readonly scopes: readonly string[] }[] => [
  ...[...namesOf(settings)].flatMap(([name, what]) => {
    const scopes = scopesOf(settings, name)
    return scopes === undefined ? [] : [{ what, scopes }]
  }),
  ...secrets.flatMap(({ plantedBy: scopes }) =>
    scopes ? [{ what: 'client_secret: a secret', scopes }] : [],
  ),
]
