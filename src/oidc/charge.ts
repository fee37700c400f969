import { ProtocolError } from '../base/index.ts'
import type { Endpoint, RequestSource } from '../limits/index.ts'
import { identifyCaller } from './client-auth.ts'
import { type InteractCall, originOf } from './interact.ts'
import type { Parts } from './parts.ts'

/**
 * Charges a call of interact or token, whatever becomes of it: to the person whom an app with its secret speaks for,
 * else to whoever calls. Answers the headers that tell of it; throws 429 where a budget is spent.
 */
export async function charge(
  parts: Parts,
  endpoint: Extract<Endpoint, 'interact' | 'token'>,
  call: InteractCall,
): Promise<Readonly<Record<string, string>>> {
  if (parts.limits === undefined) return {}
  return parts.limits.charge(endpoint, await sourceOf(parts, call))
}

async function sourceOf(parts: Parts, call: InteractCall): Promise<RequestSource> {
  try {
    const caller = await identifyCaller(parts.storage.db, call, parts.secrets)
    const { ip = call.ip, deviceToken } = originOf(caller, call)
    return { address: ip, client: caller.client.id, device: deviceToken }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    // The endpoint itself says what is wrong with the client. An id that is made up is counted as nobody's.
    return { address: call.ip }
  }
}
