import { type Clock, isoTime, type Random, randomId, systemClock, systemRandom } from '../../base/index.ts'
import {
  createOutbound,
  type OutboundAnswer,
  OutboundError,
  type OutboundOptions,
} from '../../outbound/index.ts'
import { MailRefused, type RefusalReason } from '../email/transport.ts'
import type { TextTemplate } from './definitions.ts'
import type { OutgoingText, TextTransport } from './transport.ts'

export interface TelephonyHookOptions extends OutboundOptions {
  readonly url: string
  /** The header that shows the service who calls, and its value. */
  readonly header?: { readonly name: string; readonly value: string } | undefined
  /** The public address of this installation, as `source` of the request. */
  readonly baseUrl: () => string
  readonly clock?: Clock
  readonly random?: Random
}

/** What a text is for, in the words of the hook. */
const requestTypes: Readonly<Record<TextTemplate, string>> = {
  PhoneEnrollment: 'com.okta.user.telephony.pre-enrollment',
  PhoneSignIn: 'com.okta.user.telephony.authentication',
  PhoneRecovery: 'com.okta.user.telephony.recovery',
  PhoneUnlock: 'com.okta.user.telephony.unlock',
}

/** How many of the latest deliveries a rehearsal takes its time from. */
const remembered = 32
/** For how long a failure of the service is one for rehearsals, too. */
const failureMs = 60_000

/**
 * Sends texts and calls through a service of the operator's, in the shape of Okta's telephony inline hook: a program that
 * was written for one serves the other. The code is ours; the service only delivers it.
 */
export function createTelephonyHook(options: TelephonyHookOptions): TextTransport {
  const { url, header, baseUrl, clock = systemClock, random = systemRandom } = options
  const outbound = createOutbound(options)
  /** Milliseconds of texts that were handed over. */
  const durations: number[] = []
  let failure: { readonly error: MailRefused; readonly at: number } | undefined

  const requestOf = ({ channel, to, template, text, language, variables, endsAt }: OutgoingText) => {
    const { code, user } = variables
    return {
      eventId: randomId(random, 'hke'),
      eventTime: isoTime(clock.now()),
      eventType: 'com.okta.telephony.provider',
      eventTypeVersion: '1.0',
      contentType: 'application/json',
      cloudEventVersion: '0.1',
      source: baseUrl(),
      requestType: requestTypes[template],
      data: {
        context: { request: { id: randomId(random, 'req'), method: 'POST', url: { value: url } } },
        userProfile: {
          firstName: user?.firstName ?? null,
          lastName: user?.lastName ?? null,
          login: user?.login ?? null,
          userId: user?.id ?? null,
        },
        messageProfile: {
          msgTemplate: text,
          phoneNumber: to,
          otpExpires: isoTime(endsAt),
          deliveryChannel: channel === 'sms' ? 'SMS' : 'VOICE CALL',
          otpCode: code,
          locale: language,
        },
      },
    }
  }

  return {
    name: 'hook',

    async send(text, signal) {
      const began = performance.now()
      try {
        const headers = header === undefined ? {} : { [header.name]: header.value }
        const answer = await outbound.post({ url, headers, body: requestOf(text), signal }).catch(asRefusal)
        checkAnswer(answer)
        failure = undefined
      } catch (error) {
        if (error instanceof MailRefused && !error.permanent) failure = { error, at: performance.now() }
        throw error
      } finally {
        durations.push(performance.now() - began)
        if (durations.length > remembered) durations.shift()
      }
    },

    // A62: how long a text is in hand, and whether it fails with the service, are metrics that anyone may read who reads
    // /metrics. One for an unknown user therefore connects as well, takes as long as one of the latest did, and fails as it did.
    async rehearse(signal) {
      const began = performance.now()
      const known = failure
      if (known === undefined || began - known.at > failureMs)
        await outbound.reach(url, signal).catch(asRefusal)
      const [byte = 0] = random.bytes(1)
      const wanted = durations[Math.floor((byte / 256) * durations.length)] ?? 0
      await pause(Math.max(0, wanted - (performance.now() - began)), signal)
      if (known !== undefined && began - known.at <= failureMs) throw known.error
    },

    async verify() {
      await outbound.reach(url).catch(asRefusal)
    },
  }
}

const reasons: Readonly<Record<OutboundError['reason'], RefusalReason>> = {
  address: 'policy',
  connection: 'connection',
  unanswered: 'unanswered',
  answer: 'policy',
}

function asRefusal(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error
  throw new MailRefused(error.message, { reason: reasons[error.reason], cause: error })
}

/** Reads what the service made of it. What it says in words may be stored: it is cut and cleaned where it is. */
function checkAnswer({ status, body }: OutboundAnswer): void {
  if (status < 200 || status > 299) {
    // A redirect is not followed; a 4xx says that the service, or what is configured of it, has to be mended.
    const reason = status >= 500 || status === 429 ? 'deferred' : 'policy'
    throw new MailRefused(`the service answered ${status}${wordsOf(body)}`, { reason })
  }
  const { commands, error } = (typeof body === 'object' && body !== null ? body : {}) as Answer
  if (error !== undefined && error !== null) {
    throw new MailRefused(`the service refused it${wordsOf(body)}`, { reason: 'refused' })
  }
  const statuses = [commands ?? []]
    .flat()
    .filter((command) => command?.type === 'com.okta.telephony.action')
    .flatMap(({ value }) => [value ?? []].flat())
    .map((value) => String(value?.status ?? '').toUpperCase())
  // Commands of other kinds are ignored, as by Okta; without one of ours a good status says that it was taken.
  if (statuses.length === 0 || statuses.some((one) => one === 'SUCCESSFUL' || one === 'PENDING')) return
  throw new MailRefused(`the service answered ${statuses[0]?.slice(0, 40)}${wordsOf(body)}`, {
    reason: 'refused',
  })
}

interface Cause {
  readonly errorSummary?: unknown
  readonly reason?: unknown
}
interface Answer {
  readonly commands?: readonly ({ readonly type?: unknown; readonly value?: unknown } & {
    readonly value?: { readonly status?: unknown } | readonly { readonly status?: unknown }[]
  })[]
  /** The specification writes it as an object, its examples as a list. */
  readonly error?: (Cause & { readonly errorCauses?: readonly Cause[] }) | readonly Cause[] | null
}

/** What the service says of it: its summaries, behind a colon. */
function wordsOf(body: unknown): string {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as Answer
  const [first] = [error ?? []].flat() as readonly (Cause & { readonly errorCauses?: readonly Cause[] })[]
  const [cause] = [first?.errorCauses ?? []].flat()
  const words = [first?.errorSummary, cause?.errorSummary, cause?.reason].filter(
    (one): one is string => typeof one === 'string',
  )
  return words.length === 0 ? '' : `: ${words.join(': ').slice(0, 200)}`
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((done, fail) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const abort = () => {
      end()
      fail(new MailRefused('this node is shutting down', { reason: 'connection' }))
    }
    const timer = setTimeout(() => {
      end()
      done()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
