import { isoTime } from '../../base/index.ts'
import { type Authenticator, authenticatorId } from '../../flow/index.ts'
import { type AuthenticatorSetup, methodsOffIn } from '../../policies/index.ts'
import { type Context, prefix } from '../operation.ts'

export function renderAuthenticator(
  { parts }: Pick<Context, 'parts'>,
  { key, type, displayName, settings: known = {} }: Authenticator,
  { status, settings, updatedAt }: AuthenticatorSetup,
  installed: number,
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
    created: isoTime(installed),
    // 0: never changed.
    lastUpdated: isoTime(Math.max(updatedAt, installed)),
    settings: {
      ...(known.allowedFor && { allowedFor: 'any' }),
      ...(known.tokenLifetimeInMinutes && { tokenLifetimeInMinutes: minutes }),
      ...settings,
    },
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      methods: { href: `${self}/methods`, hints: { allow: ['GET'] } },
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
    },
  }
}

/** A method of an authenticator. Its settings are those of the authenticator that are about how it works. */
export function renderMethod(
  { parts }: Pick<Context, 'parts'>,
  { key, settings: known = {}, factor }: Authenticator,
  setup: AuthenticatorSetup,
  type: string,
): object {
  const self = `${parts.baseUrl()}${prefix}/authenticators/${authenticatorId(key)}/methods/${type}`
  const status = methodsOffIn(setup).includes(type) ? 'INACTIVE' : 'ACTIVE'
  const next = status === 'ACTIVE' ? 'deactivate' : 'activate'
  const own = Object.keys(known).filter((name) => !['allowedFor', 'tokenLifetimeInMinutes'].includes(name))
  const settings = {
    ...factor?.methodSettings?.[type],
    ...Object.fromEntries(
      own.flatMap((name) => (setup.settings[name] === undefined ? [] : [[name, setup.settings[name]]])),
    ),
  }
  return {
    type,
    status,
    ...(Object.keys(settings).length > 0 && { settings }),
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      [next]: { href: `${self}/lifecycle/${next}`, hints: { allow: ['POST'] } },
    },
  }
}
