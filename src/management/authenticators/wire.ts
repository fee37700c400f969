import { isoTime } from '../../base/index.ts'
import { type Authenticator, authenticatorId } from '../../flow/index.ts'
import type { AuthenticatorSetup } from '../../policies/index.ts'
import { type Context, prefix } from '../operation.ts'

export function renderAuthenticator(
  { parts }: Pick<Context, 'parts'>,
  { key, type, displayName, settings: known = {} }: Authenticator,
  { status, settings, updatedAt }: AuthenticatorSetup,
): object {
  const id = authenticatorId(key)
  const self = `${parts.baseUrl()}${prefix}/authenticators/${id}`
  const minutes = Math.ceil((parts.codeLifetimeMs ?? 300_000) / 60_000)
  const next = status === 'ACTIVE' ? 'deactivate' : 'activate'
  return {
    id,
    key,
    type,
    name: displayName,
    status,
    created: isoTime(0),
    lastUpdated: isoTime(updatedAt),
    settings: {
      ...(known.allowedFor && { allowedFor: 'any' }),
      ...(known.tokenLifetimeInMinutes && { tokenLifetimeInMinutes: minutes }),
      ...settings,
    },
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
    },
  }
}
