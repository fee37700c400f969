import { parseTime } from '../base/index.ts'
import { createOutbound, OutboundError, type OutboundOptions } from '../outbound/index.ts'

/** What the provider makes of a token. */
export type ProviderAnswer =
  | {
      readonly result: 'right'
      /** The host of the page that showed it, where the provider says so. */
      readonly hostname?: string | undefined
      /** When it was solved, in epoch milliseconds, where the provider says so. */
      readonly solvedAt?: number | undefined
      /** What the page said that it is for, where the provider says so (Turnstile). */
      readonly action?: string | undefined
    }
  | { readonly result: 'wrong'; readonly codes: readonly string[] }
  /**
   * There was no answer that says anything of the token: `reason` is for operators and has no secret in it.
   * `misconfigured`: the provider answers, and does not take the keys.
   */
  | { readonly result: 'away'; readonly reason: string; readonly misconfigured?: true }

export interface CaptchaProvider {
  verify(
    call: { readonly token: string; readonly remoteIp?: string | undefined },
    signal?: AbortSignal | undefined,
  ): Promise<ProviderAnswer>
  /** Whether a connection can be opened: nothing is asked. */
  isReachable(): Promise<boolean>
}

/**
 * What providers answer where the keys of the site are wrong: it says nothing of the visitor. Nothing that a token can bring
 * about is among it, or garbage would do what an absent provider does (A75).
 */
const ofKeys = /secret|^invalid-site-?key$|not-using-dummy/

/**
 * Asks a provider by its verify URL: hCaptcha, reCAPTCHA and Turnstile take the same form and answer alike. By the one
 * client for addresses of others (A41).
 */
export function createProvider({
  url,
  secret,
  siteKey,
  ...options
}: OutboundOptions & {
  readonly url: string
  readonly secret: string
  /** Sent along where the provider compares it with that of the token. */
  readonly siteKey?: string | undefined
}): CaptchaProvider {
  // What is longer is no answer of a provider.
  const outbound = createOutbound({ mostBytes: 16 * 1024, ...options })
  return {
    isReachable: () =>
      outbound.reach(url).then(
        () => true,
        () => false,
      ),

    async verify({ token, remoteIp }, signal) {
      const form = {
        secret,
        response: token,
        ...(siteKey && { sitekey: siteKey }),
        ...(remoteIp && { remoteip: remoteIp }),
      }
      try {
        const { status, body } = await outbound.post({ url, form, signal })
        return answerOf(status, body)
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error
        return { result: 'away', reason: error.message }
      }
    },
  }
}

function answerOf(status: number, body: unknown): ProviderAnswer {
  const {
    success,
    hostname,
    action,
    challenge_ts: solved,
    'error-codes': errors,
  } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>
  const codes = (Array.isArray(errors) ? errors : []).map((code) => String(code).slice(0, 100))
  if (success === true && status === 200) {
    const at = typeof solved === 'string' ? parseTime(solved) : undefined
    return {
      result: 'right',
      hostname: typeof hostname === 'string' ? hostname : undefined,
      solvedAt: at,
      action: typeof action === 'string' ? action : undefined,
    }
  }
  if (success !== false || status >= 500 || status === 429) {
    return { result: 'away', reason: `the provider answered ${status}` }
  }
  const ours = codes.find((code) => ofKeys.test(code))
  return ours === undefined
    ? { result: 'wrong', codes }
    : { result: 'away', reason: `the provider answered ${ours}`, misconfigured: true }
}
