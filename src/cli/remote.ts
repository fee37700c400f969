import { setTimeout as pause } from 'node:timers/promises'
import { ProtocolError } from '../base/index.ts'
import type { Api } from '../management/index.ts'
import { CommandError } from './command.ts'

type Body = Readonly<Record<string, unknown>>

/** After status 429: the largest number of retries in a row, and the longest wait before one, in seconds. */
const retryLimits = { times: 5, seconds: 120 }

/**
 * The management API of a remote engine over HTTP. Waits when its request limit is reached, and reports the wait with
 * `note`. Throws a ProtocolError with the engine's own message if a request is refused.
 */
export function apiAt(address: string, token: string, note: (line: string) => void): Api {
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new CommandError(`--url must be the address of an engine, such as https://id.example.com`)
  }
  const base = `${address.replace(/\/$/, '')}/api/v1`
  const send = async (method: string, url: string, body?: Body, again = 0): Promise<Response> => {
    const response = await fetch(url, {
      method,
      // A redirect could send the API token to another server.
      redirect: 'error',
      headers: {
        authorization: `SSWS ${token}`,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }).catch((cause: Error & { cause?: Error }) => {
      throw new CommandError(
        `${new URL(url).origin} cannot be reached: ${cause.cause?.message ?? cause.message}`,
      )
    })
    if (response.ok) return response
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    if (response.status !== 429 || again >= retryLimits.times || !(seconds <= retryLimits.seconds)) {
      throw await refusal(response)
    }
    note(`the request limit of this engine is reached: continuing in ${seconds} s`)
    await pause(seconds * 1000)
    return send(method, url, body, again + 1)
  }
  return {
    async call(method, path, body) {
      const text = await (await send(method, base + path, method === 'GET' ? undefined : body)).text()
      return (text === '' ? {} : JSON.parse(text)) as Body
    },
    async list(path) {
      const items: Body[] = []
      for (let url: string | undefined = base + path; url !== undefined; ) {
        const response: Response = await send('GET', url)
        items.push(...((await response.json()) as readonly Body[]))
        const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
        // The given address, not the engine's public one: it may not be reachable from here.
        url = next === undefined ? undefined : `${base}${new URL(next).href.split('/api/v1')[1] ?? ''}`
      }
      return items
    },
  }
}

async function refusal(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => ({}))) as {
    errorCode?: string
    errorSummary?: string
    errorCauses?: readonly { readonly errorSummary: string }[]
  }
  if (body.errorCode === undefined) {
    return new CommandError(
      `${new URL(response.url).origin} answers ${response.status}: check that the address is that of an engine`,
    )
  }
  return new ProtocolError(response.status, body.errorCode, body.errorSummary ?? '', {
    causes: (body.errorCauses ?? []).map(({ errorSummary }) => errorSummary),
  })
}
