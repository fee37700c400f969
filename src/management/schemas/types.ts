import { isoTime } from '../../base/index.ts'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Call, type Operation, prefix } from '../operation.ts'

const id = 'otyDefault'

/** The one type of user there is, with the way to its schema. */
function typeOf({ parts }: Call): object {
  const base = `${parts.baseUrl()}${prefix}/meta`
  return {
    id,
    name: 'user',
    displayName: 'User',
    description: 'The one type of user there is',
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
    summary: 'Lists the types of users: there is one.',
    async handle(call) {
      const { items, next } = pageWithin([typeOf(call)], pageOf(call.query), () => id)
      return { body: items, next }
    },
  },
  {
    method: 'GET',
    path: '/meta/types/user/:typeId',
    role: 'read',
    summary: 'Tells of the type of users, by its id or as `default`, and where its schema is.',
    async handle(call) {
      const asked = call.params.typeId ?? ''
      if (asked !== id && asked !== 'default') throw notFound(asked, 'UserType')
      return { body: typeOf(call) }
    },
  },
]
