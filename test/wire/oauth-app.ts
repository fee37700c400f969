import { createSecrets, systemRandom } from '../../src/base/index.ts'
import { createClient, type NewClient } from '../../src/clients/index.ts'
import { getEveryone } from '../../src/directory/index.ts'
import {
  type Answer,
  answerFrom,
  type Kit,
  type KitOptions,
  newVisitor,
  startEngine,
  type VisitorOptions,
  type VisitorTarget,
} from '../../src/testing/index.ts'
import { manyRequests } from '../support/nodes.ts'

export const redirectUri = 'https://app.example/callback'
export const signedOutUri = 'https://app.example/signed-out'

export interface RegisteredClient {
  readonly id: string
  readonly secret: string | undefined
}

/** A confidential and a public client, as they are configured. */
export const web = { id: 'shop-web', secret: 'shop-web-secret-for-tests-only' } as const
export const spa: RegisteredClient = { id: 'shop-spa', secret: undefined }

export const ada = {
  login: 'ada',
  email: 'ada@example.com',
  firstName: 'Ada',
  lastName: 'Lovelace',
  password: 'Tangerine-Kettle-42',
}

/** An engine with Ada and the two clients. */
export const startShop = ({ settings, ...options }: KitOptions = {}): Promise<Kit> =>
  startEngine({
    redirectUri,
    people: [ada],
    clients: [
      { ...web, label: 'Shop', redirectUris: [redirectUri], postLogoutRedirectUris: [signedOutUri] },
      {
        id: spa.id,
        label: 'Shop in the browser',
        applicationType: 'browser',
        redirectUris: [redirectUri, 'https://spa.example/in'],
        postLogoutRedirectUris: [signedOutUri],
      },
    ],
    // Sessions outlive the refresh tokens, whose own lifetime is tested.
    settings: { limits: manyRequests, lifetimes: { session: '90d' }, ...settings },
    ...options,
  })

/** Registers one more client. */
export async function register(idp: Kit, settings: Partial<NewClient>): Promise<RegisteredClient> {
  const { db } = idp.engine.storage
  const { client, secret } = await createClient(
    db,
    { label: 'An app', redirectUris: [redirectUri], ...settings },
    {
      random: systemRandom,
      secrets: createSecrets(['only for tests: everybody knows this secret']),
      now: idp.clock.now(),
      groupIds: [(await getEveryone(db)).id],
    },
  )
  return { id: client.id, secret }
}

/** Posts a form as apps do, or a body as it is. */
export const post = async (
  url: string,
  form: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  answerFrom(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      redirect: 'manual',
    }),
  )

export const get = async (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  answerFrom(await fetch(url, { headers, redirect: 'manual' }))

export const basic = ({ id, secret }: RegisteredClient): string =>
  `Basic ${Buffer.from(secret === undefined ? id : `${id}:${secret}`).toString('base64')}`

const credentials = ({ id, secret }: RegisteredClient) => ({
  client_id: id,
  ...(secret !== undefined && { client_secret: secret }),
})

/** Ada signs in: everything up to the interaction code, and the form that redeems it. */
export async function signIn(
  idp: VisitorTarget,
  {
    client = web,
    user = ada,
    ...options
  }: Pick<VisitorOptions, 'server' | 'parameters'> & {
    readonly client?: RegisteredClient
    readonly user?: { readonly login: string; readonly password: string }
  } = {},
) {
  const { id, secret } = client
  const visitor = newVisitor(idp, {
    ...options,
    client: { id, ...(secret !== undefined && { secret }) },
    parameters: { nonce: 'a nonce', ...options.parameters },
  })
  const { interactionCode: code } = await visitor.signsIn(user.login, user.password)
  if (code === undefined) throw new Error(`no sign-in: ${visitor.response.text}`)
  const { verifier } = visitor
  const exchange = {
    grant_type: 'interaction_code',
    interaction_code: code,
    ...credentials(client),
    redirect_uri: idp.redirectUri,
    code_verifier: verifier,
  }
  return { client, code, verifier, visitor, exchange }
}

export const refreshing = (
  client: RegisteredClient,
  token: unknown,
  changes: Record<string, string> = {},
) => ({
  grant_type: 'refresh_token',
  refresh_token: String(token),
  ...credentials(client),
  ...changes,
})

export const claimsOf = (jwt: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(jwt).split('.')[1] ?? '', 'base64url').toString())
