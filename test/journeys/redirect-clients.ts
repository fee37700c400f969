/** One client that redirects, and what it does on an engine with its default settings. */
export interface RedirectClient {
  /** Its package: of npm in `test/clients`, or of Debian 12. */
  readonly name: string
  readonly from: 'npm' | 'Debian'
  /** Of a package of Debian; those of npm stand in `test/clients/package.json`. */
  readonly version?: string
  /** What stands before its name in the documents. */
  readonly kind: 'server' | 'browser'
  /** The app around it in `test/clients`, or what else it is. */
  readonly app: 'example' | 'apache' | `apps/${string}` | `pages/${string}`
  /** In every run of the tests, or in `npm run test:world`. */
  readonly runs: 'test' | 'world'
  /** The package that the page names, of which this one is an older major. */
  readonly insteadOf?: string
  readonly signIn: string
  readonly refresh: string
  readonly signOut: string
  /** Tokens without a page, of a user whom the engine knows in this browser. Left out where the client has no such call. */
  readonly silent?: Readonly<Record<Site, string>>
}

const byHand = 'sent by the app: the client has no call for it'
const openNothing = 'end session'
const revoking = 'revocation, end session'

const sdk = {
  ...({ from: 'npm', kind: 'browser', app: 'pages/okta-auth-js.js' } as const),
  ...{ signIn: '`signInWithRedirect`', refresh: '`token.renewTokens`', signOut: '`signOut`' },
  silent: { sameSite: 'tokens', otherSite: 'throws login_required' },
}
const olderSdk = (name: string): RedirectClient => ({
  ...{ ...sdk, name, runs: 'world', insteadOf: '@okta/okta-auth-js' },
})

/**
 * Published clients, unmodified, each in an app of a few lines, in a real browser: `redirect-clients.test.ts` drives them, and
 * `docs/supported.md` lists them.
 */
export const redirectClients: readonly RedirectClient[] = [
  {
    ...{ name: 'openid-client', from: 'npm', kind: 'server', app: 'example', runs: 'test' },
    ...{ signIn: 'code, PKCE, nonce', refresh: 'refresh token', signOut: openNothing },
  },
  {
    ...{ name: 'oauth4webapi', from: 'npm', kind: 'server', app: 'apps/oauth4webapi.js', runs: 'world' },
    ...{
      signIn: 'code, PKCE, nonce, `max_age`, `client_secret_basic`',
      refresh: 'refresh token',
      signOut: revoking,
    },
  },
  {
    ...{ name: '@auth/core', from: 'npm', kind: 'server', app: 'apps/auth-core.js', runs: 'test' },
    ...{
      signIn: 'code, PKCE, state, by its provider for Okta',
      refresh: `refresh token, ${byHand}`,
      signOut: openNothing,
    },
  },
  {
    ...{
      name: 'passport-openidconnect',
      from: 'npm',
      kind: 'server',
      app: 'apps/passport-openidconnect.js',
      runs: 'world',
    },
    ...{
      signIn: 'code without PKCE, state, `client_secret_post`',
      refresh: `refresh token, ${byHand}`,
      signOut: openNothing,
    },
  },
  {
    ...{
      name: '@okta/oidc-middleware',
      from: 'npm',
      kind: 'server',
      app: 'apps/oidc-middleware.js',
      runs: 'world',
    },
    ...{
      signIn: 'code without PKCE, nonce, `client_secret_basic`',
      refresh: `refresh token, ${byHand}`,
      signOut: revoking,
    },
  },
  {
    ...{
      name: 'python3-authlib',
      from: 'Debian',
      version: '1.2.0',
      kind: 'server',
      app: 'apps/authlib_app.py',
      runs: 'world',
    },
    ...{
      signIn: 'code, PKCE, nonce, `client_secret_basic`',
      refresh: 'refresh token',
      signOut: revoking,
    },
  },
  {
    ...{
      name: 'libapache2-mod-auth-openidc',
      from: 'Debian',
      version: '2.4.12.3',
      kind: 'server',
      app: 'apache',
      runs: 'world',
    },
    ...{
      signIn: 'code, PKCE, nonce, `form_post`, `client_secret_basic`',
      refresh: 'refresh token',
      signOut: revoking,
    },
  },
  {
    ...{
      name: 'oidc-client-ts',
      from: 'npm',
      kind: 'browser',
      app: 'pages/oidc-client-ts.js',
      runs: 'test',
    },
    ...{ signIn: 'code, PKCE, userinfo', refresh: 'refresh token', signOut: openNothing },
    silent: { sameSite: 'tokens', otherSite: 'throws login_required' },
  },
  { ...sdk, name: '@okta/okta-auth-js', runs: 'test' },
  olderSdk('okta-auth-js-7'),
  olderSdk('okta-auth-js-6'),
  {
    ...{ name: '@okta/okta-react', from: 'npm', kind: 'browser', app: 'pages/okta-react.jsx', runs: 'world' },
    ...{
      signIn: '`Security`, `LoginCallback`',
      refresh: '`tokenManager.renew`',
      signOut: '`signOut`',
    },
  },
  {
    ...{ name: '@openid/appauth', from: 'npm', kind: 'browser', app: 'pages/appauth.js', runs: 'world' },
    ...{
      signIn: 'code, PKCE, response mode `fragment`',
      refresh: 'refresh token',
      signOut: revoking,
    },
  },
]

export type Site = 'sameSite' | 'otherSite'

/**
 * What the calls of okta-auth-js answer that need the session of the browser, after a sign-in: to an app on the engine's site, and to one
 * on another site, to which browsers send no cookie of the engine's.
 */
export const sessionCalls: readonly ({ readonly call: string; readonly id: string } & Readonly<
  Record<Site, string>
>)[] = [
  {
    ...{ call: 'token.getWithoutPrompt()', id: 'getWithoutPrompt' },
    ...{ sameSite: 'tokens', otherSite: 'throws login_required' },
  },
  {
    ...{ call: 'token.renewTokens(), without a refresh token', id: 'renewTokens' },
    ...{ sameSite: 'tokens', otherSite: 'throws login_required' },
  },
  {
    ...{ call: 'token.renewTokens(), with a refresh token', id: 'renewByRefreshToken' },
    ...{ sameSite: 'tokens', otherSite: 'tokens' },
  },
  {
    ...{ call: 'token.getWithPopup({})', id: 'getWithPopup' },
    ...{ sameSite: 'tokens', otherSite: 'tokens' },
  },
  { ...{ call: 'session.exists()', id: 'exists' }, ...{ sameSite: 'true', otherSite: 'false' } },
  { ...{ call: 'session.get()', id: 'get' }, ...{ sameSite: 'ACTIVE', otherSite: 'INACTIVE' } },
  {
    ...{ call: 'session.refresh()', id: 'refresh' },
    ...{ sameSite: 'ACTIVE', otherSite: 'throws E0000007' },
  },
  { ...{ call: 'closeSession()', id: 'closeSession' }, ...{ sameSite: 'true', otherSite: 'false' } },
]
