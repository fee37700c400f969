import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/**
 * Removes the content type of a request that has no body. Okta's own sample scripts send `Content-Type: application/json`
 * with calls without one; the type describes a body that is not there (RFC 9110, section 8.3).
 */
export function dropTypeWithoutBody(headers: IncomingHttpHeaders): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  if (length === '0' || (length === undefined && encoding === undefined)) delete headers['content-type']
}

/**
 * Whether a request sent in pieces (`Transfer-Encoding: chunked`) has no body: the end is all that was sent of it. What was
 * read is put back.
 */
export async function isEmptyInPieces(headers: IncomingHttpHeaders, body: Readable): Promise<boolean> {
  if (headers['transfer-encoding'] === undefined) return false
  for await (const first of body.iterator({ destroyOnReturn: false })) {
    body.unshift(first)
    return false
  }
  return true
}
