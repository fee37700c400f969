import { Type } from 'typebox'
import { anything, closed, links, named, optional, status, time } from '../schema.ts'

/** `key`, `type` and `name` cannot be changed. Each authenticator checks its own settings; others are stored. */
export const authenticatorChanges = named('AuthenticatorChanges', {
  key: optional(Type.String()),
  type: optional(Type.String()),
  name: optional(Type.String()),
  settings: optional(anything),
})

export const authenticator = named(
  'Authenticator',
  {
    id: Type.String(),
    key: Type.String(),
    type: Type.String(),
    name: Type.String(),
    status,
    created: time,
    lastUpdated: time,
    settings: anything,
    _links: links,
  },
  closed,
)
