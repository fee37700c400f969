import type { IncomingHttpHeaders } from 'node:http'

/**
 * Removes the content type of a request that has no body. Okta's own sample scripts send `Content-Type: application/json`
 * with calls without one; the type describes a body that is not there (RFC 9110, section 8.3).
 */
export function dropTypeWithoutBody(headers: IncomingHttpHeaders): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  if (length === '0' || (length === undefined && encoding === undefined)) delete headers['content-type']
}
