import type { Kit, SignedIn } from '../../src/testing/index.ts'

/** What a session is still good for. */
export interface Aliveness {
  /** The status of `GET /v1/userinfo`. */
  readonly userinfo: number
  /** Whether introspection calls the access token active. */
  readonly active: boolean
  /** The status of a refresh. */
  readonly refresh: number
}

export const alive: Aliveness = { userinfo: 200, active: true, refresh: 200 }
export const ended: Aliveness = { userinfo: 401, active: false, refresh: 400 }

/** Signs a user in, and answers what the session is good for. A refresh uses the token: ask once. */
export async function sessionOf(kit: Kit, login: string): Promise<() => Promise<Aliveness>> {
  const scopes = ['openid', 'profile', 'offline_access']
  const tokens: SignedIn = await kit.signInAs(login, { scopes })
  const authorization = `Basic ${btoa(`${kit.clientId}:${kit.clientSecret}`)}`
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${kit.issuer}/v1/${path}`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    })
  return async () => {
    const userinfo = await fetch(`${kit.issuer}/v1/userinfo`, { headers: tokens.headers })
    const introspected = await post('introspect', { token: tokens.accessToken })
    const { active } = (await introspected.json()) as { readonly active: boolean }
    const refresh = await post('token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refreshToken ?? '',
    })
    return { userinfo: userinfo.status, active, refresh: refresh.status }
  }
}
