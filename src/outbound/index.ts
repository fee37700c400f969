/**
 * Calls to services of others: one HTTP client for hooks and captchas, which reaches nothing but the public host that was
 * configured (A41). Owns the check of addresses, time and size; what is sent and what an answer means stand with the
 * callers.
 */
export { isLoopbackAddress, isNearAddress, isPublicAddress } from './addresses.ts'
export {
  createOutbound,
  type OutboundAnswer,
  type OutboundCall,
  type OutboundClient,
  OutboundError,
  type OutboundOptions,
  type OutboundReason,
  outboundUrlProblem,
} from './client.ts'
