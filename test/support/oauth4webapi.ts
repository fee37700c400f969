import type { webcrypto } from 'node:crypto'

/** What is used of `oauth4webapi` 3, the library below `openid-client`: its own types are not there before it is installed. */
export interface Oauth4webapi {
  readonly allowInsecureRequests: symbol
  readonly expectNoNonce: unknown
  readonly skipAuthTimeCheck: unknown
  discoveryRequest(issuer: URL, options: object): Promise<Response>
  processDiscoveryResponse(issuer: URL, response: Response): Promise<ServerMetadata>
  None(): unknown
  ClientSecretBasic(secret: string): unknown
  ClientSecretPost(secret: string): unknown
  validateAuthResponse(as: ServerMetadata, client: object, answer: URL, state: unknown): URLSearchParams
  readonly expectNoState: unknown
  authorizationCodeGrantRequest(
    as: ServerMetadata,
    client: object,
    authentication: unknown,
    answer: URLSearchParams,
    redirectUri: string,
    verifier: unknown,
    options: object,
  ): Promise<Response>
  readonly nopkce: unknown
  processAuthorizationCodeResponse(
    as: ServerMetadata,
    client: object,
    response: Response,
    options: object,
  ): Promise<Tokens>
  validateApplicationLevelSignature(as: ServerMetadata, response: Response, options: object): Promise<void>
  getValidatedIdTokenClaims(tokens: Tokens): Readonly<Record<string, unknown>> | undefined
  refreshTokenGrantRequest(
    as: ServerMetadata,
    client: object,
    authentication: unknown,
    token: string,
    options: object,
  ): Promise<Response>
  processRefreshTokenResponse(as: ServerMetadata, client: object, response: Response): Promise<Tokens>
  userInfoRequest(as: ServerMetadata, client: object, token: string, options: object): Promise<Response>
  processUserInfoResponse(
    as: ServerMetadata,
    client: object,
    subject: unknown,
    response: Response,
  ): Promise<Readonly<Record<string, unknown>>>
  pushedAuthorizationRequest(
    as: ServerMetadata,
    client: object,
    authentication: unknown,
    parameters: object,
    options: object,
  ): Promise<Response>
  processPushedAuthorizationResponse(
    as: ServerMetadata,
    client: object,
    response: Response,
  ): Promise<{ readonly request_uri: string; readonly expires_in: number }>
  DPoP(client: object, keys: webcrypto.CryptoKeyPair): unknown
  generateKeyPair(algorithm: string): Promise<webcrypto.CryptoKeyPair>
  isDPoPNonceError(error: unknown): boolean
}

export interface ServerMetadata {
  readonly issuer: string
  readonly token_endpoint: string
  readonly userinfo_endpoint: string
  readonly authorization_endpoint: string
  readonly jwks_uri: string
  readonly [member: string]: unknown
}

export interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in?: number
  readonly scope?: string
  readonly id_token?: string
  readonly refresh_token?: string
}
