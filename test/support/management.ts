import { createSecrets, systemRandom } from '../../src/base/index.ts'
import { type ApiRole, createApiToken } from '../../src/management/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { undescribed } from '../contract/described.ts'

/** An answer of the management API. */
export interface Answered {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly id: string }
  readonly list: readonly (Record<string, unknown> & { readonly id: string })[]
  readonly text: string
  readonly next: string | undefined
}

export type Api = (method: string, path: string, body?: object) => Promise<Answered>

/** Calls the management API of a kit over HTTP; paths stand below /api/v1. */
export const apiOf =
  (kit: Pick<Kit, 'engineUrl' | 'apiToken'>, token: string | null = kit.apiToken): Api =>
  async (method, path, body) => {
    const url = path.startsWith('http') ? path : `${kit.engineUrl}/api/v1${path}`
    const response = await fetch(url, {
      method,
      headers: {
        // An access token has three parts, an API token one.
        ...(token !== null && { authorization: `${token.includes('.') ? 'Bearer' : 'SSWS'} ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const wrong = undescribed({ method, url, sent: body, status: response.status, text })
    if (wrong.length > 0) throw new Error(`${method} ${path} (${response.status}): ${wrong.join('; ')}`)
    const json = text === '' ? {} : JSON.parse(text)
    const [, next] = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '') ?? []
    return { status: response.status, body: json, list: Array.isArray(json) ? json : [], text, next }
  }

/** A token of a role, for a kit. */
export async function tokenOf(kit: Kit, role: ApiRole): Promise<string> {
  const secrets = createSecrets(['only for tests: everybody knows this secret'])
  const wanted = { name: role, role, createdBy: 'cli' }
  const context = { secrets, random: systemRandom, now: kit.clock.now() }
  return (await createApiToken(kit.engine.storage, wanted, context)).token
}

/** A token that an administrator hands out in place of a mail. */
export async function handedOut(kit: Kit, query = ''): Promise<string> {
  const api = apiOf(kit)
  const { id } = (await api('GET', `/users/${kit.person.login}`)).body
  const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false${query}`)
  return String(body.resetPasswordUrl).split('/').at(-1) ?? ''
}
