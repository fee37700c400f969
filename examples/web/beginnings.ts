import type { IdxTransaction } from '@okta/okta-auth-js'
import type { Request } from 'express'
import { ExpiringMap } from './expiring-map.ts'
import { addressOf } from './okta.ts'
import { describeUserAgent } from './user-agent.ts'

/** Where an attempt began. Shown if its mailed link is opened in another browser, so that a victim of phishing can notice. */
export interface Beginning {
  readonly app: string
  readonly browser: string | undefined
  readonly system: string | undefined
  readonly address: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** The attempts of the last half hour by `state`, which is part of the mailed link. */
export type Beginnings = ExpiringMap<Beginning>

export const createBeginnings = (): Beginnings => new ExpiringMap({ lifetime: 30 * 60_000, limit: 10_000 })

export function rememberBeginning(
  beginnings: Beginnings,
  request: Request,
  transaction: IdxTransaction,
  appName: string,
): void {
  const state = transaction.meta?.state
  if (state === undefined) return
  const label = transaction.context?.app?.value.label
  beginnings.set(state, {
    ...describeUserAgent(request.get('User-Agent') ?? ''),
    app: typeof label === 'string' ? label : appName,
    address: addressOf(request),
    at: Date.now(),
  })
}
