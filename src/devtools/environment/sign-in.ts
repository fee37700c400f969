import { type NewEvent, record } from '../../audit/index.ts'
import { ProtocolError, type Random, randomToken, type Secrets, s256 } from '../../base/index.ts'
import { findClient } from '../../clients/index.ts'
import type { Engine } from '../../engine/index.ts'
import { beginInteraction, completeInteraction, newInteractionCode } from '../../interactions/index.ts'
import { newSessionId, startSession } from '../../sessions/index.ts'

export interface SignInOptions {
  /** The client id. The default is the web client of the kit. */
  readonly client?: string
  readonly scopes?: readonly string[]
  /** The authorization server: that of `issuer`, the default, or of `orgIssuer`. */
  readonly server?: 'default' | 'org'
}

/** A user who is signed in to a client. */
export interface SignedIn {
  readonly accessToken: string
  /** With the scope `openid`. */
  readonly idToken: string | undefined
  /** With the scope `offline_access`. */
  readonly refreshToken: string | undefined
  readonly scopes: readonly string[]
  /** The argument of `authClient.tokenManager.setTokens()`, which a browser stores as `okta-token-storage`. */
  readonly sdkTokens: SdkTokens
  /** The header for requests to the API of the app: `{ authorization: 'Bearer …' }`. */
  readonly headers: { readonly authorization: string }
}

interface SdkToken {
  readonly claims: Readonly<Record<string, unknown>>
  /** Epoch seconds. */
  readonly expiresAt: number
  readonly scopes: string[]
  readonly authorizeUrl: string
}

/** Tokens in the shape of okta-auth-js. */
export interface SdkTokens {
  readonly accessToken: SdkToken & {
    readonly accessToken: string
    readonly tokenType: string
    readonly userinfoUrl: string
  }
  readonly idToken?: SdkToken & {
    readonly idToken: string
    readonly issuer: string
    readonly clientId: string
  }
  readonly refreshToken?: Omit<SdkToken, 'claims'> & {
    readonly refreshToken: string
    readonly tokenUrl: string
    readonly issuer: string
  }
}

interface TokenAnswer {
  readonly access_token: string
  readonly id_token?: string
  readonly refresh_token?: string
}

interface SignInParts {
  readonly engine: Engine
  readonly secrets: Secrets
  readonly random: Random
  readonly sessionMs: number
  /** The secrets of the configured clients, by client id. */
  readonly clientSecrets: ReadonlyMap<string, string>
  readonly redirectUri: string
}

const usualScopes = ['openid', 'profile', 'email', 'offline_access'] as const

/**
 * Signs a user in without the pages. Creates the session and the interaction code like a completed transaction, and
 * redeems the code at the token endpoint, which applies its usual checks.
 */
export async function signIn(
  parts: SignInParts,
  login: string,
  wanted: SignInOptions = {},
): Promise<SignedIn> {
  const { client: clientId = 'rekey-web', scopes = usualScopes, server = 'default' } = wanted
  const { baseUrl, issuers } = parts.engine
  const form = await completedInteraction(parts, login, { clientId, server, scope: scopes.join(' ') })
  const oauth = `${baseUrl}/oauth2${server === 'default' ? '/default' : ''}`
  const answer = await redeem(`${oauth}/v1/token`, form)
  return {
    accessToken: answer.access_token,
    idToken: answer.id_token,
    refreshToken: answer.refresh_token,
    scopes,
    sdkTokens: sdkTokensOf(answer, { oauth, issuer: issuers[server], clientId, scopes: [...scopes] }),
    headers: { authorization: `Bearer ${answer.access_token}` },
  }
}

/** Creates an interaction in the state after a successful sign-in. Returns the form that redeems it. */
async function completedInteraction(
  { engine, secrets, random, sessionMs, clientSecrets, redirectUri: usual }: SignInParts,
  login: string,
  { clientId, server, scope }: { clientId: string; server: 'default' | 'org'; scope: string },
): Promise<Record<string, string>> {
  const { storage, clock } = engine
  const person = await engine.people.find(login)
  if (person === undefined) throw new ProtocolError(400, 'nobody', `there is no user with the login ${login}`)
  const client = await findClient(storage.db, clientId)
  if (client === undefined) throw new ProtocolError(400, 'no_client', `there is no client ${clientId}`)
  const redirectUri = client.settings.redirectUris[0] ?? usual
  const codeVerifier = randomToken(random)
  const code = newInteractionCode(random)
  const now = clock.now()
  const origin = { vouched: false, ip: '127.0.0.1', userAgent: 'rekey-engine/testing' }

  await storage.transaction(async (tx) => {
    const request = { scope, state: randomToken(random) }
    const { id } = await beginInteraction(
      tx,
      { clientId, issuer: server, redirectUri, codeChallenge: s256(codeVerifier), request, origin },
      { random, now, lifetimeMs },
    )
    const sessionId = newSessionId(random)
    const details = { amr: ['pwd'], ip: origin.ip, userAgent: origin.userAgent }
    const session = { id: sessionId, personId: person.id, clientId, createdAt: now, details }
    await startSession(tx, { ...session, expiresAt: now + sessionMs })
    const twice = () => new Error(`interaction ${id} was completed twice`)
    const completed = { code, codeExpiresAt: now + lifetimeMs, sessionId }
    await completeInteraction(tx, id, completed, { secrets, twice })
    await record(tx, signedInEvent(person.id, clientId), { random, now })
  })
  const secret = clientSecrets.get(clientId)
  return {
    grant_type: 'interaction_code',
    interaction_code: code,
    code_verifier: codeVerifier,
    redirect_uri: redirectUri,
    client_id: clientId,
    ...(secret !== undefined && { client_secret: secret }),
  }
}

// Short: the code is redeemed at once.
const lifetimeMs = 60_000

const signedInEvent = (personId: string, clientId: string): NewEvent => ({
  eventType: 'user.session.start',
  displayMessage: 'User login to app',
  outcome: { result: 'SUCCESS', reason: 'signInAs of the testing kit' },
  actor: { id: personId, type: 'User' },
  target: [{ id: clientId, type: 'AppInstance' }],
})

async function redeem(url: string, form: Readonly<Record<string, string>>): Promise<TokenAnswer> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
  if (!response.ok) {
    const why = `the token endpoint answered ${response.status}: ${await response.text()}`
    throw new ProtocolError(400, 'refused', why)
  }
  return (await response.json()) as TokenAnswer
}

function sdkTokensOf(
  answer: TokenAnswer,
  app: {
    readonly oauth: string
    readonly issuer: string
    readonly clientId: string
    readonly scopes: string[]
  },
): SdkTokens {
  const { oauth, issuer, clientId, scopes } = app
  const claims = claimsIn(answer.access_token)
  const common = { expiresAt: Number(claims.exp), scopes, authorizeUrl: `${oauth}/v1/authorize` }
  const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = answer
  return {
    accessToken: {
      ...common,
      accessToken,
      claims,
      tokenType: 'Bearer',
      userinfoUrl: `${oauth}/v1/userinfo`,
    },
    ...(idToken && { idToken: { ...common, idToken, claims: claimsIn(idToken), issuer, clientId } }),
    ...(refreshToken && { refreshToken: { ...common, refreshToken, tokenUrl: `${oauth}/v1/token`, issuer } }),
  }
}

const claimsIn = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
