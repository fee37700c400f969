import { ProtocolError } from '../base/index.ts'
import type { Endpoint, RequestSource } from '../limits/index.ts'
import { identifyCaller } from './client-auth.ts'
import { type InteractCall, originOf } from './interact.ts'
import type { Parts } from './parts.ts'

/**
 * Charges a call of interact or token to the request budgets, whatever its result: to the user whose address an
 * authenticated client forwards, else to the caller's address. Answers the rate limit headers; throws 429 where a budget
 * is spent.
 *
 * @param onRefused gets what the client is refused with, before anything is charged
 */
export async function charge(
  parts: Parts,
  endpoint: Extract<Endpoint, 'interact' | 'token'>,
  call: InteractCall,
  onRefused: (error: ProtocolError) => Promise<void>,
): Promise<Readonly<Record<string, string>>> {
  if (parts.limits === undefined) return {}
  return parts.limits.charge(endpoint, await sourceOf(parts, endpoint, call, onRefused))
}

async function sourceOf(
  parts: Parts,
  endpoint: Endpoint,
  call: InteractCall,
  onRefused: (error: ProtocolError) => Promise<void>,
): Promise<RequestSource> {
  try {
    const caller = await identifyCaller(parts.storage.db, call, parts.secrets)
    const { app, ip = call.ip, deviceToken } = originOf(caller, call)
    const { id } = caller.client
    const isApp = app && endpoint === 'interact'
    return { address: ip, client: id, device: deviceToken, ...(isApp && { app: id }) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    await onRefused(error)
    // The endpoint refuses the client afterwards. An unknown client id gets no budget: they can be invented at will
    // (A45).
    return { address: call.ip }
  }
}
