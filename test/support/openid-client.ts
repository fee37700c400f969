/** What is used of `openid-client` 6: its own types are not there before it is installed. */
export interface OpenidClient {
  readonly allowInsecureRequests: unknown
  discovery(
    issuer: URL,
    id: string,
    secret?: string,
    authentication?: unknown,
    options?: object,
  ): Promise<Config>
  ClientSecretBasic(): unknown
  ClientSecretPost(): unknown
  None(): unknown
  genericGrantRequest(
    config: Config,
    grant: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Tokens>
  refreshTokenGrant(config: Config, refreshToken: string): Promise<Tokens>
  fetchUserInfo(
    config: Config,
    accessToken: string,
    subject: string,
  ): Promise<Readonly<Record<string, unknown>>>
  tokenIntrospection(config: Config, token: string): Promise<Readonly<Record<string, unknown>>>
  tokenRevocation(config: Config, token: string): Promise<void>
  buildEndSessionUrl(config: Config, parameters: Readonly<Record<string, string>>): URL
}

interface Config {
  serverMetadata(): Readonly<Record<string, unknown>>
}

interface Tokens {
  readonly access_token: string
  readonly id_token?: string
  readonly refresh_token?: string
  claims(): Readonly<Record<string, unknown>> | undefined
}

/** What is used of `@okta/jwt-verifier` 4. */
export type JwtVerifierClass = new (
  options: object,
) => {
  verifyAccessToken(token: string, audience: string): Promise<Verified>
  verifyIdToken(token: string, clientId: string, nonce: string): Promise<Verified>
}

interface Verified {
  readonly claims: Readonly<Record<string, unknown>>
}
