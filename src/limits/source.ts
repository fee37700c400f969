import { addressKey } from './address.ts'

/**
 * Where a request comes from: the one definition that every budget and every queue uses, so that a share of something
 * means the same everywhere.
 *
 * - `address`: the network address of the user's device (an IPv6 subscriber by its /64), of the connection itself, from
 *   a trusted proxy, or from a confidential client that authenticated and named it in X-Forwarded-For.
 * - `app`: a confidential client that named no address. All its users are one source, with the budgets of an app.
 *   The address of the connection would be the app's server, and its budget that of one household.
 */
export interface Source {
  readonly kind: 'address' | 'app'
  /** What is counted under; an address and an app never share one. */
  readonly key: string
}

/** What an interaction knows of its beginning. */
export interface SourceFacts {
  readonly clientId: string
  readonly origin: { readonly ip?: string | undefined; readonly app?: boolean | undefined }
}

export const sourceOf = ({ clientId, origin }: SourceFacts): Source =>
  origin.app ? sourceOfApp(clientId) : sourceOfAddress(origin.ip)

export const sourceOfAddress = (address: string | undefined): Source => ({
  kind: 'address',
  key: `address:${addressKey(address)}`,
})

export const sourceOfApp = (clientId: string): Source => ({ kind: 'app', key: `app:${clientId}` })
