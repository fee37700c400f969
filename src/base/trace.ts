import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './random.ts'

/** The trace context of a log line, with the names that OpenTelemetry uses in logs. */
export interface Trace {
  readonly trace_id: string
  readonly span_id: string
  readonly trace_flags: string
}

// Version, trace, parent and flags; a later version may go on behind a further dash (W3C Trace Context, section 3.2).
const shape = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const zeros = /^0+$/
/** The flags that version 00 defines: sampled. Others are cleared (W3C Trace Context, section 3.2.2.5). */
const definedFlags = 0x01

/** Parses a `traceparent` header. Undefined where it is not exactly one: malformed values are not repaired. */
export function parseTraceparent(header: unknown): Trace | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = shape.exec(header) ?? []
  if (version === undefined || version === 'ff' || zeros.test(traceId) || zeros.test(spanId)) return undefined
  if (version === '00' && more !== undefined) return undefined
  const knownFlags = (Number.parseInt(flags, 16) & definedFlags).toString(16).padStart(2, '0')
  return { trace_id: traceId, span_id: spanId, trace_flags: knownFlags }
}

/** A trace that begins here, not sampled. */
function newTrace(random: Random): Trace {
  const hex = (length: number): string => {
    const drawn = random.bytes(length).toString('hex')
    // An id of zeros is invalid.
    return zeros.test(drawn) ? drawn.replace(/0$/, '1') : drawn
  }
  return { trace_id: hex(16), span_id: hex(8), trace_flags: '00' }
}

/** The trace of a request: the caller's where the header has one, else a new one, made at the first use. */
export function traceOf(header: unknown, random: Random): () => Trace {
  let trace: Trace | undefined
  return () => {
    trace ??= parseTraceparent(header) ?? newTrace(random)
    return trace
  }
}

/** What is known of the request that is being answered. */
export interface RequestContext {
  readonly trace: () => Trace
  /** The id of the request: `req…`. Absent in work that no request started. */
  readonly id?: string
  /** The transaction that it belongs to, once that is known. */
  transactionId?: string
  /** Why it is answered with an error that has an id. */
  failure?: Failure
}

/** An error whose id a user may read out: its public code, and the error behind it if it is none that is expected. */
export interface Failure {
  readonly code: string
  readonly error?: unknown
}

const present = new AsyncLocalStorage<RequestContext>()

/** Runs `work`, and everything that it starts, as part of a request. */
export const inRequest = <T>(context: RequestContext, work: () => T): T => present.run(context, work)

/** Runs `work`, and everything that it starts, as part of a trace. */
export const traced = <T>(trace: () => Trace, work: () => T): T => present.run({ trace }, work)

/** Runs `work` outside of the current trace: a request starts it, but it serves others, such as mail delivery. */
export const untraced = <T>(work: () => T): T => present.exit(work)

/** The trace of the current asynchronous context, for the log. */
export const presentTrace = (): Trace | undefined => present.getStore()?.trace()

/** The id of the request that the current work is part of. Undefined in work that no request started, or that is untraced. */
export const presentRequest = (): string | undefined => present.getStore()?.id

/** Notes the transaction that the current request belongs to, so that `rekey trace` leads from an error to it. */
export function noteTransaction(id: string): void {
  const context = present.getStore()
  if (context !== undefined) context.transactionId = id
}

/** Notes that the current request is answered with an error that shows an id. */
export function noteFailure(failure: Failure): void {
  const context = present.getStore()
  if (context !== undefined) context.failure = failure
}

/** The id of the error that a request is answered with: the same letters as the id of the request, which a header has. */
export const errorIdOf = (requestId: string): string => `oae${requestId.slice(3)}`
