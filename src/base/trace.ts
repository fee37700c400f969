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

const present = new AsyncLocalStorage<() => Trace>()

/** Runs `work`, and everything that it starts, as part of a trace. */
export const traced = <T>(trace: () => Trace, work: () => T): T => present.run(trace, work)

/** Runs `work` outside of the current trace: a request starts it, but it serves others, such as mail delivery. */
export const untraced = <T>(work: () => T): T => present.exit(work)

/** The trace of the current asynchronous context, for the log. */
export const presentTrace = (): Trace | undefined => present.getStore()?.()
