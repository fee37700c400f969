import { isoTime } from '../../base/index.ts'
import { originForm, originFrom, type TrustedOrigin } from '../../clients/index.ts'
import { invalid } from '../errors.ts'
import { prefix } from '../operation.ts'
import type { NewTrustedOrigin } from './schema.ts'

/** A trusted origin from its body. Throws 400 where `origin` is none. */
export function toOrigin({
  name,
  origin: text,
  scopes,
}: NewTrustedOrigin): Pick<TrustedOrigin, 'name' | 'origin' | 'scopes'> {
  const origin = originFrom(text)
  if (origin === undefined) throw invalid([`origin: ${originForm}`])
  return { name, origin, scopes: [...new Set(scopes.map(({ type }) => type))] }
}

export const renderOrigin = (
  base: string,
  { createdAt, updatedAt, scopes, ...origin }: TrustedOrigin,
): object => ({
  ...origin,
  scopes: scopes.map((type) => ({ type })),
  created: isoTime(createdAt),
  lastUpdated: isoTime(updatedAt),
  _links: { self: { href: `${base}${prefix}/trustedOrigins/${origin.id}` } },
})
