import { notFound } from '../errors.ts'
import type { Context, ServerFacts } from '../operation.ts'
import { serverId } from './wire.ts'

/** The server of a path. Throws 404. */
export function getFacts({ parts, params }: Context): ServerFacts {
  const asked = params.authServerId ?? ''
  const facts = parts.authorizationServer?.()
  if (asked !== serverId || facts === undefined) throw notFound(asked, 'AuthorizationServer')
  return facts
}
