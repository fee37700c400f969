import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './random.ts'

/** Whose doing a line of the log is, named as OpenTelemetry names it in logs. */
export interface Trace {
  readonly trace_id: string
  readonly span_id: string
  readonly trace_flags: string
}

// Version, trace, parent and flags; a later version may go on behind a further dash (W3C Trace Context, section 3.2).
const shape = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const nothing = /^0+$/
/** The flags that version 00 knows: sampled. Whatever else is set means nothing to us. */
const known = 0x01

/** What a `traceparent` header tells, or undefined where it is none: a value that is almost one is not mended. */
export function parseTraceparent(header: unknown): Trace | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = shape.exec(header) ?? []
  if (version === undefined || version === 'ff' || nothing.test(traceId) || nothing.test(spanId))
    return undefined
  if (version === '00' && more !== undefined) return undefined
  const told = (Number.parseInt(flags, 16) & known).toString(16).padStart(2, '0')
  return { trace_id: traceId, span_id: spanId, trace_flags: told }
}

/** A trace that begins here, and that nobody is known to record. */
function newTrace(random: Random): Trace {
  const hex = (length: number): string => {
    const drawn = random.bytes(length).toString('hex')
    // All zeros would be no id at all.
    return nothing.test(drawn) ? drawn.replace(/0$/, '1') : drawn
  }
  return { trace_id: hex(16), span_id: hex(8), trace_flags: '00' }
}

/** The trace of a request: the caller's where the header names one, else a new one. Drawn when somebody asks for it. */
export function traceOf(header: unknown, random: Random): () => Trace {
  let trace: Trace | undefined
  return () => {
    trace ??= parseTraceparent(header) ?? newTrace(random)
    return trace
  }
}

const present = new AsyncLocalStorage<() => Trace>()

/** Runs something, and all that it sets off, as part of a trace. */
export const traced = <T>(trace: () => Trace, work: () => T): T => present.run(trace, work)

/** Runs something that a request sets off but that is not its own, such as the delivery of whatever is due. */
export const untraced = <T>(work: () => T): T => present.exit(work)

/** The trace of what is under way, for the log. */
export const presentTrace = (): Trace | undefined => present.getStore()?.()
