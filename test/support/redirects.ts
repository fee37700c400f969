import { s256 } from '../../src/base/index.ts'
import { type RegisteredClient, redirectUri } from '../wire/oauth-app.ts'

/** A browser of plain HTTP: it has cookies, follows nothing, and speaks the protocol of the page that it is on. */
export interface Browser {
  readonly cookies: Map<string, string>
  goes(url: string, init?: RequestInit): Promise<Response>
}

export function newBrowser(): Browser {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async goes(url, init = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, {
        redirect: 'manual',
        ...init,
        headers: { accept: 'text/html', ...(cookie && { cookie }), ...init.headers },
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      return response
    },
  }
}

export const verifier = 'v'.repeat(43)

/** The address of `authorize` for a client, with PKCE. A parameter that is undefined is left out. */
export function authorizeUrl(
  oauth: string,
  client: Pick<RegisteredClient, 'id'>,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const all = {
    client_id: client.id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile offline_access',
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: s256(verifier),
    code_challenge_method: 'S256',
    ...changes,
  }
  const sent = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  )
  return `${oauth}/v1/authorize?${new URLSearchParams(sent)}`
}

export interface IdxBody {
  readonly stateHandle: string
  readonly remediation?: { readonly value: readonly { readonly name: string; readonly href: string }[] }
  readonly success?: { readonly name: string; readonly href: string }
  readonly successWithInteractionCode?: object
  readonly user?: { readonly value: { readonly identifier?: string } }
}

/** What a page's own client of the protocol does: without cookies. */
export async function idx(engineUrl: string, path: string, body: object): Promise<IdxBody> {
  const response = await fetch(`${engineUrl}/idp/idx/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  return (await response.json()) as IdxBody
}

/** The state token of the transaction that the answer of `authorize` binds the browser to, and sends it to the pages of. */
export async function stateTokenAt(answer: Response): Promise<string> {
  const handle = answer.headers.getSetCookie().flatMap((line) => /rekey_tx=([^;]+)/.exec(line)?.[1] ?? [])[0]
  const { origin } = new URL(answer.headers.get('location') ?? '')
  return (await idx(origin, 'introspect', { interactionHandle: handle })).stateHandle
}

/** Signs in with a password from the page on, up to the address of the end. */
export async function signsIn(
  engineUrl: string,
  stateToken: string,
  { login, password }: { readonly login: string; readonly password: string },
): Promise<IdxBody> {
  const { stateHandle } = await idx(engineUrl, 'introspect', { stateToken })
  return idx(engineUrl, 'identify', { stateHandle, identifier: login, credentials: { passcode: password } })
}

/** What stands in the address that an answer leads to. */
export function answerIn(response: Response): Readonly<Record<string, string>> {
  const url = new URL(response.headers.get('location') ?? 'none:')
  return Object.fromEntries(new URLSearchParams(url.hash === '' ? url.search : url.hash.slice(1)))
}
