/** Origins that browsers may call from and be sent back to, after Okta's Trusted Origins API. */
import { record } from '../../audit/index.ts'
import { isoTime } from '../../base/index.ts'
import {
  findTrustedOrigin,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from '../../clients/index.ts'
import { invalid, notFound, taken } from '../errors.ts'
import { isFields, newReader, pageFrom, pageOf, requiredText } from '../input.ts'
import { type Answer, type Call, type Operation, prefix } from '../operation.ts'

const wire = (base: string, { createdAt, updatedAt, scopes, ...origin }: TrustedOrigin): object => ({
  ...origin,
  scopes: scopes.map((type) => ({ type })),
  created: isoTime(createdAt),
  lastUpdated: isoTime(updatedAt),
  _links: { self: { href: `${base}${prefix}/trustedOrigins/${origin.id}` } },
})

async function get({ parts, params }: Call): Promise<TrustedOrigin> {
  const id = params.trustedOriginId ?? ''
  const origin = await findTrustedOrigin(parts.storage.db, id)
  if (origin === undefined) throw notFound(id, 'TrustedOrigin')
  return origin
}

/** The body of a trusted origin. Throws 400. */
export function readOrigin({ body }: Pick<Call, 'body'>): Pick<TrustedOrigin, 'name' | 'origin' | 'scopes'> {
  const reader = newReader()
  const name = requiredText(reader, body, 'name', { max: 255 })
  const origin = requiredText(reader, body, 'origin', { max: 255 })
  // An origin and nothing else: a path would seem to narrow what it cannot.
  if (
    origin !== '' &&
    !(
      URL.canParse(origin) &&
      /^https?:/.test(origin) &&
      !origin.includes('*') &&
      new URL(origin).origin === origin
    )
  ) {
    reader.problems.push('origin: must be an origin such as https://app.example.com')
  }
  const scopes = Array.isArray(body.scopes) ? body.scopes : []
  const types = scopes.flatMap((scope) => (isFields(scope) ? [scope.type] : [undefined]))
  if (types.length === 0 || !types.every((type) => type === 'CORS' || type === 'REDIRECT')) {
    reader.problems.push('scopes: must be a list of CORS and REDIRECT')
  }
  reader.check()
  return { name, origin, scopes: [...new Set(types)] as readonly string[] }
}

async function put(call: Call, origin: Parameters<typeof putTrustedOrigin>[1]): Promise<Answer> {
  const { parts, now } = call
  const stored = await putTrustedOrigin(parts.storage.db, origin, { random: parts.random, now })
  if (stored === 'taken') throw invalid([taken('origin')])
  await tell(call, stored)
  return { body: wire(parts.baseUrl(), stored) }
}

const tell = ({ parts, actor, now }: Call, { id, origin }: TrustedOrigin): Promise<void> =>
  record(
    parts.storage.db,
    {
      eventType: 'security.trusted_origin.update',
      displayMessage: 'Trusted origin managed',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'TrustedOrigin', displayName: origin }],
    },
    { random: parts.random, now },
  )

const one = '/trustedOrigins/:trustedOriginId'
const becomes = (name: string, status: TrustedOrigin['status']): Operation => ({
  method: 'POST',
  path: `${one}/lifecycle/${name}`,
  role: 'all',
  summary: `Sets a trusted origin ${status}.`,
  handle: async (call) => {
    const { id, name, origin, scopes } = await get(call)
    return put(call, { id, name, origin, scopes, status })
  },
})

export const originOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/trustedOrigins',
    role: 'read',
    summary: 'Lists trusted origins.',
    handle: async ({ parts, query }) => {
      const page = pageOf(query)
      const found = await pageOfTrustedOrigins(parts.storage.db, { ...page, limit: page.limit + 1 })
      const { items, next } = pageFrom(found, page, ({ id }) => id)
      return { body: items.map((origin) => wire(parts.baseUrl(), origin)), next }
    },
  },
  {
    method: 'POST',
    path: '/trustedOrigins',
    role: 'all',
    summary: 'Creates a trusted origin.',
    handle: (call) => put(call, { ...readOrigin(call), status: 'ACTIVE' }),
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of a trusted origin.',
    handle: async (call) => ({ body: wire(call.parts.baseUrl(), await get(call)) }),
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Changes a trusted origin.',
    handle: async (call) => {
      const { id, status } = await get(call)
      return put(call, { ...readOrigin(call), id, status })
    },
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Removes a trusted origin.',
    handle: async (call) => {
      const origin = await get(call)
      await removeTrustedOrigin(call.parts.storage.db, origin.id)
      await tell(call, origin)
      return {}
    },
  },
  becomes('activate', 'ACTIVE'),
  becomes('deactivate', 'INACTIVE'),
]
