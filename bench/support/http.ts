import { Agent, request } from 'node:http'

export interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly retryAfter: string | undefined
}

/** An agent that keeps connections open, like the server of an app. */
export const createAgent = (sockets: number): Agent =>
  new Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets })

/** Sends a POST request with little overhead. */
export function post(
  agent: Agent,
  url: string,
  {
    type,
    body,
    headers,
  }: { readonly type: string; readonly body: string; readonly headers?: Record<string, string> },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        agent,
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': type,
          'content-length': Buffer.byteLength(body),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          try {
            const retryAfter = incoming.headers['retry-after']
            resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text || '{}'), retryAfter })
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
