import { isoTime } from '../../base/index.ts'
import { notFound } from '../errors.ts'
import { pageWithin } from '../input.ts'
import { type Call, type Operation, prefix } from '../operation.ts'
import { rawPageOf as pageOf } from '../reader.ts'

const id = 'otyDefault'

/** The only user type, with a link to its schema. */
function typeOf({ parts }: Call): object {
  const base = `${parts.baseUrl()}${prefix}/meta`
  return {
    id,
    name: 'user',
    displayName: 'User',
    description: 'The only user type',
    default: true,
    created: isoTime(0),
    lastUpdated: isoTime(0),
    createdBy: 'system',
    lastUpdatedBy: 'system',
    _links: {
      self: { href: `${base}/types/user/${id}` },
      schema: { href: `${base}/schemas/user/default` },
    },
  }
}

export const typeOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/meta/types/user',
    role: 'read',
    summary: 'List the user types: only `default`',
    async handle(call) {
      const { items, next } = pageWithin([typeOf(call)], pageOf(call.query), () => id)
      return { body: items, next }
    },
  },
  {
    method: 'GET',
    path: '/meta/types/user/:typeId',
    role: 'read',
    summary: 'Get the user type, by its id or as `default`, with a link to its schema',
    async handle(call) {
      const typeId = call.params.typeId ?? ''
      if (typeId !== id && typeId !== 'default') throw notFound(typeId, 'UserType')
      return { body: typeOf(call) }
    },
  },
]
