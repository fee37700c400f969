import { createHash, randomBytes } from 'node:crypto'
import type { Kit } from '../../src/testing/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: the wire as it is; tests look into it freely.
export type Wire = any

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Wire
}

/** A visitor on the bare wire: no SDK between the test and the engine. */
export interface WireVisitor {
  readonly verifier: string
  readonly interactionHandle: string
  readonly stateHandle: string
  /** The first answer to `introspect`. */
  readonly first: Reply
  post(path: string, body?: Record<string, unknown>): Promise<Reply>
  /** Redeems an interaction code at the token endpoint. */
  tokens(interactionCode: string): Promise<Reply>
}

const reply = async (response: Response): Promise<Reply> => {
  const text = await response.text()
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {
    // Not JSON: the text is the body.
  }
  return { status: response.status, headers: response.headers, body }
}

/** What a visitor must know of an engine. */
export type Target = Pick<Kit, 'issuer' | 'engineUrl' | 'clientId' | 'clientSecret' | 'redirectUri'> &
  Partial<Pick<Kit, 'publicClientId'>>

/** Begins an interaction and opens its conversation, as every client does. */
export async function visit(
  idp: Target,
  options: {
    readonly clientId?: string
    readonly headers?: Readonly<Record<string, string>>
    /** Further parameters of the request: `acr_values`. */
    readonly parameters?: Readonly<Record<string, string>>
  } = {},
): Promise<WireVisitor> {
  const verifier = randomBytes(32).toString('base64url')
  const clientId = options.clientId ?? idp.clientId
  const credentials = clientId === idp.clientId ? { client_secret: idp.clientSecret } : {}
  const interact = await fetch(`${idp.issuer}/v1/interact`, {
    method: 'POST',
    headers: options.headers ?? {},
    body: new URLSearchParams({
      client_id: clientId,
      ...credentials,
      scope: 'openid profile email offline_access',
      redirect_uri: idp.redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: randomBytes(16).toString('hex'),
      nonce: randomBytes(16).toString('hex'),
      ...options.parameters,
    }),
  })
  const { interaction_handle: interactionHandle } = (await interact.json()) as { interaction_handle: string }
  const send = async (path: string, body: object) =>
    reply(
      await fetch(`${idp.engineUrl}/idp/idx/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  const first = await send('introspect', { interactionHandle })
  const stateHandle = first.body.stateHandle as string
  return {
    verifier,
    interactionHandle,
    stateHandle,
    first,
    post: (path, body = {}) => send(path, { stateHandle, ...body }),
    tokens: async (code) =>
      reply(
        await fetch(`${idp.issuer}/v1/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'interaction_code',
            interaction_code: code,
            client_id: clientId,
            ...credentials,
            redirect_uri: idp.redirectUri,
            code_verifier: verifier,
          }),
        }),
      ),
  }
}

/** The interaction code in a response that grants one. */
export const codeOf = (body: Wire): string | undefined =>
  body.successWithInteractionCode?.value.find((field: Wire) => field.name === 'interaction_code')?.value

/** The names of the remediations, in order. */
export const remediationsOf = (body: Wire): readonly string[] =>
  (body.remediation?.value ?? []).map((form: Wire) => form.name)

/** The keys of all messages, at the top and in fields. */
export function messageKeysOf(body: Wire): readonly string[] {
  if (typeof body !== 'object' || body === null) return []
  const own = body.messages?.value?.map((message: Wire) => message.i18n?.key) ?? []
  return [...own, ...Object.values(body).flatMap((value) => messageKeysOf(value))]
}
