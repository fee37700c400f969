/** Trusted origins over HTTP, after Okta's Trusted Origins API: where browsers may call from and be redirected to. */
import { isObject, isoTime } from '../../base/index.ts'
import {
  findTrustedOrigin,
  originForm,
  originFrom,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from '../../clients/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { newReader, pageFrom, pageOf, requiredText } from '../input.ts'
import {
  type Answer,
  type Call,
  lifecycleOperations,
  type Operation,
  prefix,
  recordEvent,
} from '../operation.ts'

const renderOrigin = (base: string, { createdAt, updatedAt, scopes, ...origin }: TrustedOrigin): object => ({
  ...origin,
  scopes: scopes.map((type) => ({ type })),
  created: isoTime(createdAt),
  lastUpdated: isoTime(updatedAt),
  _links: { self: { href: `${base}${prefix}/trustedOrigins/${origin.id}` } },
})

async function getOrigin({ parts, params }: Call): Promise<TrustedOrigin> {
  const id = params.trustedOriginId ?? ''
  const origin = await findTrustedOrigin(parts.storage.db, id)
  if (origin === undefined) throw notFound(id, 'TrustedOrigin')
  return origin
}

/** Reads the body of a trusted origin. Throws 400. */
export function readOrigin({ body }: Pick<Call, 'body'>): Pick<TrustedOrigin, 'name' | 'origin' | 'scopes'> {
  const reader = newReader()
  const name = requiredText(reader, body, 'name', { max: 255 })
  const text = requiredText(reader, body, 'origin', { max: 255 })
  const origin = originFrom(text)
  if (origin === undefined && text !== '') reader.problems.push(`origin: ${originForm}`)
  const scopes = Array.isArray(body.scopes) ? body.scopes : []
  const types = scopes.flatMap((scope) => (isObject(scope) ? [scope.type] : [undefined]))
  if (types.length === 0 || !types.every((type) => type === 'CORS' || type === 'REDIRECT')) {
    reader.problems.push('scopes: must be a non-empty list of CORS and REDIRECT')
  }
  reader.check()
  return { name, origin: origin ?? '', scopes: [...new Set(types)] as readonly string[] }
}

async function putOrigin(call: Call, origin: Parameters<typeof putTrustedOrigin>[1]): Promise<Answer> {
  const { parts, now } = call
  const stored = await putTrustedOrigin(parts.storage.db, origin, { random: parts.random, now })
  if (stored === 'taken') throw invalid([alreadyExists('origin')])
  await recordChange(call, stored)
  return { body: renderOrigin(parts.baseUrl(), stored) }
}

const recordChange = (call: Call, { id, origin }: TrustedOrigin): Promise<void> =>
  recordEvent(call, call.parts.storage.db, {
    eventType: 'security.trusted_origin.update',
    displayMessage: 'Trusted origin managed',
    target: [{ id, type: 'TrustedOrigin', displayName: origin }],
  })

const one = '/trustedOrigins/:trustedOriginId'

async function setStatus(call: Call, status: TrustedOrigin['status']): Promise<Answer> {
  const { id, name, origin, scopes } = await getOrigin(call)
  return putOrigin(call, { id, name, origin, scopes, status })
}

export const originOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/trustedOrigins',
    role: 'read',
    summary: 'List trusted origins',
    handle: async ({ parts, query }) => {
      const page = pageOf(query)
      const found = await pageOfTrustedOrigins(parts.storage.db, { ...page, limit: page.limit + 1 })
      const { items, next } = pageFrom(found, page, ({ id }) => id)
      return { body: items.map((origin) => renderOrigin(parts.baseUrl(), origin)), next }
    },
  },
  {
    method: 'POST',
    path: '/trustedOrigins',
    role: 'all',
    summary: 'Create a trusted origin',
    handle: (call) => putOrigin(call, { ...readOrigin(call), status: 'ACTIVE' }),
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a trusted origin',
    handle: async (call) => ({ body: renderOrigin(call.parts.baseUrl(), await getOrigin(call)) }),
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace a trusted origin',
    handle: async (call) => {
      const { id, status } = await getOrigin(call)
      return putOrigin(call, { ...readOrigin(call), id, status })
    },
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a trusted origin',
    handle: async (call) => {
      const origin = await getOrigin(call)
      await removeTrustedOrigin(call.parts.storage.db, origin.id)
      await recordChange(call, origin)
      return {}
    },
  },
  ...lifecycleOperations(one, 'a trusted origin', setStatus),
]
