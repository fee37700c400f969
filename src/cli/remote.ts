import { setTimeout as pause } from 'node:timers/promises'
import { ProtocolError } from '../base/index.ts'
import type { Api } from '../management/index.ts'
import { CommandError } from './command.ts'

type Body = Readonly<Record<string, unknown>>

/** How often in a row a request that came too soon is sent again, and the longest wait before it, in seconds. */
const patience = { times: 5, seconds: 120 }

/**
 * The management API of an engine elsewhere. Waits where its budget for requests is spent; `note` tells of it. Throws a
 * ProtocolError with its words where it refuses.
 */
export function apiAt(address: string, token: string, note: (line: string) => void): Api {
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new CommandError(`--url must be the address of an engine, such as https://id.example.com`)
  }
  const base = `${address.replace(/\/$/, '')}/api/v1`
  const send = async (method: string, url: string, body?: Body, again = 0): Promise<Response> => {
    const response = await fetch(url, {
      method,
      // Whoever redirects would be shown the token.
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
    if (response.status !== 429 || again >= patience.times || !(seconds <= patience.seconds)) {
      throw await refusal(response)
    }
    note(`too many requests for the budget of this engine: going on in ${seconds} s`)
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
        // By the way that was given, whatever the engine calls itself.
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
    return new CommandError(`${new URL(response.url).origin} answers ${response.status}: is it an engine?`)
  }
  return new ProtocolError(response.status, body.errorCode, body.errorSummary ?? '', {
    causes: (body.errorCauses ?? []).map(({ errorSummary }) => errorSummary),
  })
}
