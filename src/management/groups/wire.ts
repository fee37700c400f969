import { isoTime } from '../../base/index.ts'
import type { StoredGroup } from '../../directory/index.ts'
import { prefix } from '../operation.ts'

/** A group in the shape of Okta's Groups API. */
export function groupOf(base: string, group: StoredGroup): object {
  const self = `${base}${prefix}/groups/${group.id}`
  return {
    id: group.id,
    created: isoTime(group.createdAt),
    lastUpdated: isoTime(group.updatedAt),
    lastMembershipUpdated: isoTime(group.updatedAt),
    objectClass: ['okta:user_group'],
    type: group.type,
    profile: { description: null, ...group.profile },
    _links: { users: { href: `${self}/users` }, apps: { href: `${self}/apps` } },
  }
}
