import type { ProtocolError } from '../base/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { messages, wireMessage } from './wire/messages.ts'

/**
 * The one function that turns an error into an IDX body: `version` and `messages`, for errors that the protocol has a
 * message for (transport, section 9). Undefined for all others: they leave in the API's shape. The body has Okta's members
 * alone; the id that `rekey trace` finds is in the header X-Okta-Request-Id.
 */
export function idxErrorBody(
  error: ProtocolError,
  authenticators: ReadonlyMap<string, Authenticator>,
): Readonly<Record<string, unknown>> | undefined {
  if (messages[error.code] === undefined || /^E\d+$/.test(error.code)) return undefined
  return {
    version: '1.0.0',
    intent: 'LOGIN',
    messages: { type: 'array', value: [wireMessage({ key: error.code }, authenticators)] },
  }
}
