import { apiError } from '../../base/index.ts'
import type { Input } from '../../flow/index.ts'
import { sessionExpired } from '../../flow/index.ts'

const isObject = (body: unknown): body is Input =>
  typeof body === 'object' && body !== null && !Array.isArray(body)

/** A body as an object, or the API's own error for a body that is none. */
export function readBody(body: unknown): Input {
  if (!isObject(body)) throw apiError('E0000003', { causes: ['body: must be a JSON object'] })
  return body
}

/** The state handle of a submission. Whatever it is if not a text, it is no handle that could be known. */
export function readStateHandle(body: Input): string {
  const { stateHandle } = body
  if (typeof stateHandle !== 'string' || stateHandle === '' || stateHandle.length > 512) {
    throw sessionExpired('no state handle')
  }
  return stateHandle
}

/** By what a client asks where it stands: the interaction handle, or the state handle under either of its names. */
export function readIntrospection(
  body: Input,
): { readonly interactionHandle: string } | { readonly stateHandle: string } {
  const { interactionHandle, stateToken } = body
  if (typeof interactionHandle === 'string' && interactionHandle.length <= 512) return { interactionHandle }
  if (typeof stateToken === 'string') return { stateHandle: readStateHandle({ stateHandle: stateToken }) }
  return { stateHandle: readStateHandle(body) }
}
