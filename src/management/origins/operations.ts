import { Type } from 'typebox'
import {
  findTrustedOrigin,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from '../../clients/index.ts'
import { type Db, type Tx, takeLock } from '../../storage/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { pageFrom, pageOf } from '../input.ts'
import { unsupportedMembers } from '../members.ts'
import {
  type Answer,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
  recordEvent,
} from '../operation.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { type NewTrustedOrigin, newTrustedOrigin, trustedOrigin } from './schema.ts'
import { renderOrigin, toOrigin } from './wire.ts'

async function getOrigin({ parts, params }: Context, db: Db = parts.storage.db): Promise<TrustedOrigin> {
  const id = params.trustedOriginId ?? ''
  const origin = await findTrustedOrigin(db, id)
  if (origin === undefined) throw notFound(id, 'TrustedOrigin')
  return origin
}

type Wanted = Parameters<typeof putTrustedOrigin>[1]

/** The origin of a path, locked for a change: of two changes none undoes the other. Throws 404. */
async function getOriginForUpdate(call: Context, tx: Tx): Promise<TrustedOrigin> {
  await takeLock(tx, 'origins')
  return getOrigin(call, tx)
}

/** Stores the origin that `wanted` answers, in its transaction. */
async function putOrigin(call: Context, wanted: (tx: Tx) => Wanted | Promise<Wanted>): Promise<Answer> {
  const { parts, now } = call
  const origin = await parts.storage.transaction(async (tx) => {
    const stored = await putTrustedOrigin(tx, await wanted(tx), { random: parts.random, now })
    if (stored === 'taken') throw invalid([alreadyExists('origin')])
    if (stored === undefined) throw notFound(call.params.trustedOriginId ?? '', 'TrustedOrigin')
    await recordChange(call, tx, stored)
    return stored
  })
  return { body: renderOrigin(parts.baseUrl(), origin) }
}

/** Logs what of a body is not stored. */
function warnOf(call: Context, body: NewTrustedOrigin): void {
  const ignored = [
    ...unsupportedMembers(body, [...Object.keys(trustedOrigin.properties), 'createdBy', 'lastUpdatedBy']),
    ...body.scopes.flatMap((scope) => unsupportedMembers(scope, ['type'], 'scopes.')),
    ...body.scopes.flatMap(({ type }, index) =>
      body.scopes.findIndex((one) => one.type === type) < index ? [`scopes: ${type} is there twice`] : [],
    ),
  ]
  warnUnsupported(call, 'a trusted origin', { origin: body.origin }, [...new Set(ignored)])
}

const recordChange = (call: Context, tx: Tx, { id, origin }: TrustedOrigin): Promise<void> =>
  recordEvent(call, tx, {
    eventType: 'security.trusted_origin.update',
    displayMessage: 'Trusted origin managed',
    target: [{ id, type: 'TrustedOrigin', displayName: origin }],
  })

const setStatus = (call: Context, status: TrustedOrigin['status']): Promise<Answer> =>
  putOrigin(call, async (tx) => {
    const { id, name, origin, scopes } = await getOriginForUpdate(call, tx)
    return { id, name, origin, scopes, status }
  })

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
    handle: async (call) => {
      const answer = await putOrigin(call, () => ({ ...toOrigin(call.body), status: 'ACTIVE' }))
      warnOf(call, call.body)
      return answer
    },
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
      const answer = await putOrigin(call, async (tx) => {
        const { id, status } = await getOriginForUpdate(call, tx)
        return { ...toOrigin(call.body), id, status }
      })
      warnOf(call, call.body)
      return answer
    },
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a trusted origin',
    handle: async (call) => {
      await call.parts.storage.transaction(async (tx) => {
        const origin = await getOriginForUpdate(call, tx)
        if (!(await removeTrustedOrigin(tx, origin.id))) throw notFound(origin.id, 'TrustedOrigin')
        await recordChange(call, tx, origin)
      })
      return {}
    },
  }),
  ...lifecycleOperations(one, 'a trusted origin', setStatus, { response: trustedOrigin }),
]
