import type { IncomingHttpHeaders } from 'node:http'
import { localUrl, ProtocolError } from '../../base/index.ts'

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/**
 * Refuses requests that a page of another site could make a browser send. The Host check stops DNS rebinding (another
 * name that resolves to loopback), the Origin check stops fetches and forms of other pages, and the media type check
 * stops "simple" requests, which a browser sends across origins without a CORS preflight.
 * @throws ProtocolError 403 or 415
 */
export function guardRequest(headers: IncomingHttpHeaders, port: number): void {
  const { host = '', origin } = headers
  const names = loopbackNames.map((name) => (port === 80 ? name : `${name}:${port}`))
  if (!names.includes(host.toLowerCase())) {
    throw new ProtocolError(403, 'foreign_host', `use ${localUrl(port)} for this address`)
  }
  if (origin !== undefined && !names.includes(origin.toLowerCase().replace(/^http:\/\//, ''))) {
    throw new ProtocolError(403, 'foreign_origin', 'pages of another origin must not use this address')
  }
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  if (hasBody && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new ProtocolError(
      415,
      'unsupported_media_type',
      'a body must be JSON with Content-Type: application/json',
    )
  }
}
