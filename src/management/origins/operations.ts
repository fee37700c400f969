import { Type } from 'typebox'
import {
  findTrustedOrigin,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from '../../clients/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { pageFrom, pageOf } from '../input.ts'
import {
  type Answer,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
  recordEvent,
} from '../operation.ts'
import { page } from '../schema.ts'
import { newTrustedOrigin, trustedOrigin } from './schema.ts'
import { renderOrigin, toOrigin } from './wire.ts'

async function getOrigin({ parts, params }: Context): Promise<TrustedOrigin> {
  const id = params.trustedOriginId ?? ''
  const origin = await findTrustedOrigin(parts.storage.db, id)
  if (origin === undefined) throw notFound(id, 'TrustedOrigin')
  return origin
}

async function putOrigin(call: Context, origin: Parameters<typeof putTrustedOrigin>[1]): Promise<Answer> {
  const { parts, now } = call
  const stored = await putTrustedOrigin(parts.storage.db, origin, { random: parts.random, now })
  if (stored === 'taken') throw invalid([alreadyExists('origin')])
  await recordChange(call, stored)
  return { body: renderOrigin(parts.baseUrl(), stored) }
}

const recordChange = (call: Context, { id, origin }: TrustedOrigin): Promise<void> =>
  recordEvent(call, call.parts.storage.db, {
    eventType: 'security.trusted_origin.update',
    displayMessage: 'Trusted origin managed',
    target: [{ id, type: 'TrustedOrigin', displayName: origin }],
  })

async function setStatus(call: Context, status: TrustedOrigin['status']): Promise<Answer> {
  const { id, name, origin, scopes } = await getOrigin(call)
  return putOrigin(call, { id, name, origin, scopes, status })
}

const one = '/trustedOrigins/:trustedOriginId'

export const originOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/trustedOrigins',
    role: 'read',
    summary: 'List trusted origins',
    query: page,
    response: Type.Array(trustedOrigin),
    handle: async ({ parts, query }) => {
      const page = pageOf(query, { ids: 'tos' })
      const found = await pageOfTrustedOrigins(parts.storage.db, { ...page, limit: page.limit + 1 })
      const { items, next } = pageFrom(found, page, ({ id }) => id)
      return { body: items.map((origin) => renderOrigin(parts.baseUrl(), origin)), next }
    },
  }),
  operation({
    method: 'POST',
    path: '/trustedOrigins',
    role: 'all',
    summary: 'Create a trusted origin',
    body: newTrustedOrigin,
    response: trustedOrigin,
    handle: (call) => putOrigin(call, { ...toOrigin(call.body), status: 'ACTIVE' }),
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a trusted origin',
    response: trustedOrigin,
    handle: async (call) => ({ body: renderOrigin(call.parts.baseUrl(), await getOrigin(call)) }),
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace a trusted origin',
    body: newTrustedOrigin,
    response: trustedOrigin,
    handle: async (call) => {
      const { id, status } = await getOrigin(call)
      return putOrigin(call, { ...toOrigin(call.body), id, status })
    },
  }),
  operation({
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
  }),
  ...lifecycleOperations(one, 'a trusted origin', setStatus, { response: trustedOrigin }),
]
