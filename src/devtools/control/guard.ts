import type { IncomingHttpHeaders } from 'node:http'
import { ProtocolError } from '../../base/index.ts'

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/**
 * Refuses what a web page elsewhere could make a browser send here. The Host check stops DNS rebinding (a foreign
 * name that resolves to loopback), the Origin check a foreign page's fetch or form, the media type check the
 * "simple" requests that a browser sends across origins without asking first.
 * @throws ProtocolError 403 or 415
 */
export function guardRequest(headers: IncomingHttpHeaders, port: number): void {
  const { host = '', origin } = headers
  const names = loopbackNames.map((name) => (port === 80 ? name : `${name}:${port}`))
  if (!names.includes(host.toLowerCase())) {
    throw new ProtocolError(403, 'foreign_host', `this address answers to http://localhost:${port} only`)
  }
  if (origin !== undefined && !names.includes(origin.toLowerCase().replace(/^http:\/\//, ''))) {
    throw new ProtocolError(403, 'foreign_origin', 'pages of another origin may not use this address')
  }
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  if (hasBody && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new ProtocolError(
      415,
      'unsupported_media_type',
      'a body is JSON with Content-Type: application/json',
    )
  }
}
