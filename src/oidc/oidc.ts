import type { Party } from '../audit/index.ts'
import { type Clock, createLogSampler, systemClock } from '../base/index.ts'
import type { LogoutTransport } from '../delivery/index.ts'
import type { OutboundOptions } from '../outbound/index.ts'
import { purgeArtifacts } from './artifacts.store.ts'
import { createLogoutTransport } from './backchannel/logout.ts'
import type { Presented } from './dpop.ts'
import { recordKeyChange } from './events.ts'
import { createOwnPages, type OwnPages } from './hosted/own-pages.ts'
import { createSigningKeys, type SigningKeyInfo } from './keys.ts'
import { defaultOidcLifetimes, type OidcOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { type OidcRoutes, oidcRoutes } from './routes.ts'
import { authorizationServer } from './server.ts'
import { findServiceCaller, type ServiceCaller } from './service-token.ts'
import { findUserCaller, type UserCaller } from './user-token.ts'

/** How an access token comes, with the path of the request below the address of the engine. */
export type PresentedAt = Omit<Presented, 'url'> & { readonly path: string }

export interface Oidc {
  /** All OAuth and OIDC endpoints of both authorization servers, with paths from the engine's root. */
  readonly routes: OidcRoutes
  /** What sends logout tokens to apps, for a worker. */
  logouts(options: OutboundOptions): LogoutTransport
  /** Transactions that begin at the engine's own pages. */
  readonly ownPages: OwnPages
  /** The issuers, for the configuration of apps. */
  issuers(): { readonly default: string; readonly org: string }
  /** The service client of a valid access token of the org server. */
  findServiceCaller(token: string): Promise<ServiceCaller | undefined>
  /** The user of a valid access token of either server. */
  findUserCaller(token: string, presented: PresentedAt): Promise<UserCaller | undefined>
  /** Loads the signing key, so that the first token request does not wait for it. */
  warmUp(): Promise<void>
  /**
   * Generates a new signing key, which is published at once and signs a minute later, when every verifier can have fetched
   * it; with `now` it signs at once. The previous one stays published until its last token has expired. Answers the new
   * `kid`; where a key is waiting to sign already, that one's.
   */
  rotateSigningKey(options?: { readonly now?: boolean; readonly by?: Party }): Promise<string>
  /**
   * Ends a signing key at once, on all nodes: it is not published any more, its tokens are refused, and where it was the
   * current one another key signs. Answers the `kid` of the one that signs; undefined where there is no such key.
   */
  revokeSigningKey(kid: string, options?: { readonly by?: Party }): Promise<string | undefined>
  /** The published signing keys without their private parts, the current one first. */
  signingKeys(): Promise<readonly SigningKeyInfo[]>
  /** Deletes expired refresh tokens, revocations and keys. Answers how many. */
  purge(): Promise<number>
}

const system: Party = { id: 'system', type: 'SystemPrincipal' }

/** Builds both authorization servers. Keys are read or generated at the first request, or by `warmUp`. */
export function createOidc(options: OidcOptions): Oidc {
  const { storage, secrets, random, clock, log, issuer, signingKey } = options
  const lifetimes = { ...defaultOidcLifetimes, ...options.lifetimes }
  const keepMs = Math.max(lifetimes.accessTokenMs, lifetimes.idTokenMs) * 2
  const keys = createSigningKeys({
    ...{ storage, secrets, clock, keepMs, fixed: signingKey },
    holdMs: keepMs + lifetimes.sessionMs,
  })
  const tokenClock = tokenClockOf(options)
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
    hosted: options.hosted,
    implicit: options.implicit === true,
    policies: options.policies,
    recordExchange: options.recordExchange,
    hints: options.hints === true,
    refusals: createLogSampler({ lines: 60 }),
  }

  const base = () => (typeof issuer === 'string' ? issuer : issuer())
  const servers = {
    default: () => authorizationServer('default', base()),
    org: () => authorizationServer('org', base()),
  }
  return {
    routes: oidcRoutes(parts, servers),
    logouts: (outbound) => createLogoutTransport(parts, servers, outbound),
    ownPages: createOwnPages(parts, servers.org),
    issuers: () => ({ default: servers.default().issuer, org: servers.org().issuer }),
    findServiceCaller: (token) => findServiceCaller(parts, servers.org(), token),
    findUserCaller: (token, { path, ...presented }) =>
      findUserCaller(parts, [servers.org(), servers.default()], token, {
        ...presented,
        // What is called has the path of the public address already.
        url: new URL(base()).origin + path,
      }),
    warmUp: async () => void (await keys.current()),
    rotateSigningKey: ({ now = false, by = system } = {}) =>
      keys.rotate({
        now,
        recorded: (tx, change) => recordKeyChange(tx, parts, { event: 'rollover', by, ...change }),
      }),
    revokeSigningKey: (kid, { by = system } = {}) =>
      keys.revoke(kid, (tx) => recordKeyChange(tx, parts, { event: 'revoke', by, kid })),
    signingKeys: () => keys.list(),
    purge: async () => (await purgeArtifacts(storage.db, clock.now())) + (await keys.purge()),
  }
}

function tokenClockOf({ clock, tokens = 'reference' }: OidcOptions): Clock {
  if (tokens === 'virtual') return clock
  return tokens === 'real' ? systemClock : { now: () => clock.reference?.() ?? clock.now() }
}
