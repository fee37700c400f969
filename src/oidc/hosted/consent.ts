import { asksForConsent, type Client, readScopeSettings } from '../../clients/index.ts'
import type { ConsentScope, HostedRequest } from '../../interactions/index.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'

/**
 * What of a request its user must agree to. As at Okta, of the server `default` alone: the scopes whose
 * setting asks for it, where the app's `consent_method` is `REQUIRED` or the request has `prompt=consent`.
 * Scopes that an administrator has granted never ask.
 */
export async function consentFor(
  { storage }: Pick<Parts, 'storage'>,
  server: Pick<AuthorizationServer, 'id'>,
  client: Client,
  { scope, isAskedAnew }: { readonly scope: string; readonly isAskedAnew: boolean },
): Promise<Pick<HostedRequest, 'consent'>> {
  if (server.id !== 'default' || !(isAskedAnew || asksForConsent(client))) return {}
  const settings = await readScopeSettings(storage.db)
  const scopes = scope.split(' ').flatMap((name): readonly ConsentScope[] => {
    const { consent = 'IMPLICIT', displayName, description, optional } = settings[name] ?? {}
    if (consent === 'IMPLICIT') return []
    return [
      {
        name,
        ...(displayName !== undefined && { label: displayName }),
        ...(description !== undefined && { desc: description }),
        // Without it there is no sign-in to speak of.
        ...(optional === true && name !== 'openid' && { optional }),
      },
    ]
  })
  return scopes.length === 0 ? {} : { consent: { scopes, ...(isAskedAnew && { anew: true }) } }
}
