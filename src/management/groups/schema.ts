import { type Static, Type } from 'typebox'
import { closed, compared, criteria, either, links, named, optional, page, texts, time } from '../schema.ts'

const profile = Type.Object(
  { name: compared(255), description: optional(Type.String({ maxLength: 1024 })) },
  {
    description:
      'Other members are stored and returned as they are: texts, numbers, booleans, and lists of texts or numbers.',
  },
)

export const newGroup = named('NewGroup', { profile })
export type NewGroup = Static<typeof newGroup>

export const group = named(
  'Group',
  {
    id: Type.String(),
    created: time,
    lastUpdated: time,
    lastMembershipUpdated: time,
    objectClass: texts,
    type: either('OKTA_GROUP', 'BUILT_IN'),
    profile,
    _links: links,
  },
  closed,
)

export const groupList = {
  ...page,
  q: Type.Optional(Type.String({ description: 'The beginning of a name.' })),
  filter: criteria('For example `type eq "OKTA_GROUP"` or `lastUpdated gt "2026-01-31T12:00:00.000Z"`.'),
  search: criteria('For example `profile.name sw "Eng" and profile.team eq "A"`.'),
}
