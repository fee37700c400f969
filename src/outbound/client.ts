import { lookup as systemLookup } from 'node:dns/promises'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isLoopbackAddress, isNearAddress, isPublicAddress } from './addresses.ts'

/** Why there is no answer. */
export type OutboundReason =
  /** The address is not one that may be called, whatever it resolves to now. */
  | 'address'
  /** There was no connection: DNS, TCP, TLS. */
  | 'connection'
  /** The whole request was sent, and no answer, or not all of it, came in time: it may have been acted on. */
  | 'unanswered'
  /** The answer is longer than `mostBytes`, or no JSON. */
  | 'answer'

/** A call failed. The message names the host and no secret: neither header nor body. */
export class OutboundError extends Error {
  readonly reason: OutboundReason

  constructor(reason: OutboundReason, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'OutboundError'
    this.reason = reason
  }
}

export interface OutboundOptions {
  /**
   * Allows hosts of this machine and of private networks, and http to this machine: for development, tests, and a gateway
   * beside the engine.
   */
  readonly insecureAddresses?: boolean
  /** All that a call may take: name, connection, TLS, answer. Default: 3000. */
  readonly timeoutMs?: number
  /** The longest answer in bytes. Default: 262,144. */
  readonly mostBytes?: number
  /** A certificate authority besides those of Node: for tests. */
  readonly ca?: string
  /** Resolves a name to its addresses: for tests. Default: as the system does. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

export interface OutboundCall {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, where there is no `form`. */
  readonly body?: unknown
  /** Sent as a form (`application/x-www-form-urlencoded`), as the services that verify captchas read it. */
  readonly form?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
  /** The status alone is answered: whatever comes after it, JSON or not, is not read. */
  readonly statusOnly?: boolean
}

export interface OutboundAnswer {
  readonly status: number
  /** The parsed JSON; undefined where the answer is empty. */
  readonly body: unknown
}

/** Calls services of others: hooks, captchas. */
export interface OutboundClient {
  /**
   * POSTs JSON or a form and answers what came back, whatever its status; a redirect is an answer and is not followed.
   * @throws OutboundError
   */
  post(call: OutboundCall): Promise<OutboundAnswer>
  /** Opens a connection, with TLS, and closes it: nothing is asked. @throws OutboundError as `post` would */
  reach(url: string, signal?: AbortSignal): Promise<void>
}

/** What is wrong with an address to call, in words; undefined: nothing. What its name resolves to is checked at each call. */
export function outboundUrlProblem(
  text: string,
  { insecureAddresses = false }: Pick<OutboundOptions, 'insecureAddresses'> = {},
): string | undefined {
  const form = 'must be an https address, such as https://hooks.example.com/telephony'
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || /\s/.test(text)) return form
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    return `${form}, without user, password and fragment`
  }
  const host = hostOf(url)
  // No name of the DNS has others; in the policy of a page a comma or a semicolon would begin another source or directive (A82).
  if (!/^[\w.:-]+$/.test(host)) return form
  const isHere = host === 'localhost' || isLoopbackAddress(host)
  if (url.protocol === 'http:' && !(insecureAddresses && isHere)) return form
  if (isIP(host) !== 0 && !mayCall(host, insecureAddresses)) {
    return 'must not be an address of this machine, of a private network, or of no host'
  }
  return undefined
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

const mayCall = (address: string, insecureAddresses: boolean): boolean =>
  isPublicAddress(address) || (insecureAddresses && isNearAddress(address))

const resolveBySystem = async (host: string): Promise<readonly string[]> =>
  (await systemLookup(host, { all: true })).map(({ address }) => address)

/**
 * The one client for addresses that the configuration, or an administrator over the API, has chosen (A41). https only; the
 * addresses of the host are resolved once, all of them checked, and the connection goes to exactly these: a name that
 * resolves to another address a moment later (DNS rebinding) leads nowhere. No redirects, no proxy, no connection is
 * used twice. Time and size are bounded.
 */
export function createOutbound(options: OutboundOptions = {}): OutboundClient {
  const { insecureAddresses = false, timeoutMs = 3000, mostBytes = 256 * 1024, ca } = options
  const { resolve = resolveBySystem } = options

  /** The addresses that a host may be called at: all of those that it has, or none. */
  async function addressesOf(host: string): Promise<readonly string[]> {
    const found = isIP(host) === 0 ? await resolve(host) : [host]
    if (found.length === 0) throw new OutboundError('connection', `${host} has no address`)
    if (!found.every((address) => mayCall(address, insecureAddresses))) {
      throw new OutboundError('address', `${host} is at an address that may not be called`)
    }
    return found
  }

  async function open(
    url: URL,
    init: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<ClientRequest> {
    const host = hostOf(url)
    const addresses = await raced(addressesOf(host), signal).catch((error: Error) => {
      if (error instanceof OutboundError) throw error
      throw new OutboundError('connection', `${host} cannot be resolved: ${error.message}`, { cause: error })
    })
    if (url.protocol === 'http:' && !(insecureAddresses && addresses.every(isLoopbackAddress))) {
      throw new OutboundError('address', `${host} may be called by https only`)
    }
    const request = url.protocol === 'http:' ? httpRequest : httpsRequest
    return request(url, {
      ...init,
      agent: false,
      lookup: pinned(addresses),
      signal,
      ...(ca !== undefined && { ca }),
    })
  }

  async function during<T>(
    text: string,
    signal: AbortSignal | undefined,
    work: (url: URL, limit: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const problem = outboundUrlProblem(text, { insecureAddresses })
    if (problem !== undefined) throw new OutboundError('address', `the address ${problem}`)
    const time = AbortSignal.timeout(timeoutMs)
    return work(new URL(text), signal === undefined ? time : AbortSignal.any([time, signal]))
  }

  return {
    post: ({ url: text, headers = {}, body, form, signal, statusOnly }) =>
      during(text, signal, async (url, limit) => {
        const sent = Buffer.from(form ? new URLSearchParams(form).toString() : JSON.stringify(body))
        const init = {
          method: 'POST',
          headers: {
            accept: 'application/json',
            // What is unpacked could be longer than what arrives.
            'accept-encoding': 'identity',
            'user-agent': 'rekey',
            ...headers,
            'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
            'content-length': String(sent.length),
          },
        }
        const request = await open(url, init, limit)
        return new Promise<OutboundAnswer>((done, fail) => {
          let isSent = false
          const failed = (error: Error) =>
            fail(error instanceof OutboundError ? error : broken(url, error, isSent))
          request.on('error', failed)
          request.once('finish', () => {
            isSent = true
          })
          request.once('response', (response) => {
            if (statusOnly) {
              done({ status: response.statusCode ?? 0, body: undefined })
              response.destroy()
            } else read(response, mostBytes, url).then(done, failed)
          })
          request.end(sent)
        })
      }),

    reach: (text, signal) =>
      during(text, signal, async (url, limit) => {
        const request = await open(url, { method: 'HEAD', headers: {} }, limit)
        return new Promise<void>((done, fail) => {
          request.on('error', (error) => fail(broken(url, error, false)))
          request.once('socket', (socket) => {
            socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => {
              done()
              request.destroy()
            })
          })
          // Headers are written with the first piece of a body: none is.
        })
      }),
  }
}

/** Answers the addresses that were checked, whatever the name resolves to by now. */
const pinned = (addresses: readonly string[]): LookupFunction => {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_, { all: wantsAll }, done) => {
    const [first] = all
    if (wantsAll) done(null, all)
    else done(null, first?.address ?? '', first?.family)
  }
}

/** The result, unless the time is over before: a resolver cannot be interrupted. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    const abort = () => fail(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(done, fail).finally(() => signal.removeEventListener('abort', abort))
  })
}

function broken(url: URL, error: Error, isSent: boolean): OutboundError {
  const { name, message, cause } = error
  const late = name === 'TimeoutError' || name === 'AbortError'
  const words = late ? 'no answer in time' : cause instanceof Error ? cause.message : message
  return new OutboundError(isSent ? 'unanswered' : 'connection', `${url.host}: ${words}`, { cause: error })
}

async function read(response: IncomingMessage, mostBytes: number, url: URL): Promise<OutboundAnswer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) {
      response.destroy()
      throw new OutboundError('answer', `${url.host}: the answer is longer than ${mostBytes} bytes`)
    }
    chunks.push(chunk)
  }
  const status = response.statusCode ?? 0
  const text = Buffer.concat(chunks).toString('utf8')
  if (text.trim() === '') return { status, body: undefined }
  try {
    return { status, body: JSON.parse(text) as unknown }
  } catch {
    // What a failing server, or one in front of it, says need not be JSON.
    if (status < 200 || status > 299) return { status, body: undefined }
    throw new OutboundError('answer', `${url.host}: the answer is no JSON`)
  }
}
