import { systemClock } from '../base/index.ts'
import { purgeArtifacts } from './artifacts.store.ts'
import { createSigningKeys } from './keys.ts'
import { defaultOidcLifetimes, type OidcOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { createTokenEndpoint } from './provider.ts'
import { type OidcRoutes, oidcRoutes } from './routes.ts'
import { authorizationServer } from './server.ts'
import { findServiceCaller, type ServiceCaller } from './service-token.ts'

export interface Oidc {
  /** All OAuth and OIDC endpoints of both authorization servers, with full paths from the engine's root. */
  readonly routes: OidcRoutes
  /** The issuers as apps are configured with them. */
  issuers(): { readonly default: string; readonly org: string }
  /** The service app whose access token of the org server this is, if it is worth something now. */
  findServiceCaller(token: string): Promise<ServiceCaller | undefined>
  /** Loads what the first token needs (key, library), so that the first caller does not wait for it. */
  warmUp(): Promise<void>
  /** Makes a new signing key; the one before stays published until its last token has expired. Answers the new `kid`. */
  rotateSigningKey(): Promise<string>
  /** Removes refresh tokens, revocations and keys whose time is over. Answers how many went. */
  purge(): Promise<number>
}

/** Builds both authorization servers. Nothing is read or made before the first request, or `warmUp`. */
export function createOidc(options: OidcOptions): Oidc {
  const { storage, secrets, random, clock, log, issuer, signingKey } = options
  const lifetimes = { ...defaultOidcLifetimes, ...options.lifetimes }
  const keepMs = Math.max(lifetimes.accessTokenMs, lifetimes.idTokenMs) * 2
  const keys = createSigningKeys({ storage, secrets, clock, keepMs, fixed: signingKey })
  const tokenClock = options.tokens === 'virtual' ? clock : systemClock
  const parts: Parts = {
    storage,
    secrets,
    random,
    clock,
    tokenClock,
    log,
    keys,
    lifetimes,
    limits: options.limits,
    recordExchange: options.recordExchange,
  }

  const base = () => (typeof issuer === 'string' ? issuer : issuer())
  const servers = {
    default: () => authorizationServer('default', base()),
    org: () => authorizationServer('org', base()),
  }
  const token = createTokenEndpoint(parts)
  return {
    routes: oidcRoutes(parts, servers, token),
    issuers: () => ({ default: servers.default().issuer, org: servers.org().issuer }),
    findServiceCaller: (token) => findServiceCaller(parts, servers.org(), token),
    warmUp: async () => void (await Promise.all([keys.current(), token.load()])),
    rotateSigningKey: () => keys.rotate(),
    purge: async () => (await purgeArtifacts(storage.db, clock.now())) + (await keys.purge()),
  }
}
