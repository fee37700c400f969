import type { FastifyInstance } from 'fastify'
import type { Logger } from '../base/index.ts'
import { bareAddresses } from '../limits/index.ts'

/**
 * Warns once where X-Forwarded-For comes from a peer that is no trusted proxy. Behind a proxy that is not named all visitors
 * are one address with one budget, and wrong answers of a few shut everyone out.
 */
export function warnOfUnnamedProxy(app: FastifyInstance, log: Logger, hasProxies: boolean): void {
  let isWarned = false
  app.addHook('onRequest', async ({ headers, ips, socket }) => {
    if (isWarned || headers['x-forwarded-for'] === undefined) return
    // The first is the peer; another one behind it was taken from the header of a trusted peer.
    if (hasProxies && (ips?.length ?? 1) > 1) return
    isWarned = true
    log.warn(
      { peer: socket.remoteAddress, option: 'http.trustedProxies', variable: 'REKEY_TRUSTED_PROXIES' },
      'X-Forwarded-For of a peer that is not among the trusted proxies is ignored: if the peer is your proxy, name it, or all visitors count as one address (an app that sends the addresses of its users with its own secret needs no name)',
    )
  })
}

/** Takes ports and brackets from X-Forwarded-For before anything reads it: else each connection would be an address (report 6). */
export function readForwardedAddresses(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const forwarded = headers['x-forwarded-for']
    if (forwarded === undefined) return
    const addresses = bareAddresses([forwarded].flat().join(','))
    if (addresses === '') delete headers['x-forwarded-for']
    else headers['x-forwarded-for'] = addresses
  })
}
