import { Type } from 'typebox'
import { anything, closed, filled, links, named, optional, status, time } from '../schema.ts'

/** `key`, `type` and `name` cannot be changed. Each authenticator checks its own settings; others are stored. */
export const authenticatorChanges = named('AuthenticatorChanges', {
  key: optional(Type.String()),
  type: optional(Type.String()),
  name: optional(Type.String()),
  settings: optional(anything),
})

/** All keys that are known are there already, so that none can be created. */
export const newAuthenticator = named('NewAuthenticator', {
  key: filled(100),
  name: optional(Type.String()),
  settings: optional(anything),
})

/** `type` cannot be changed; `status` is changed by the operations of the lifecycle. */
export const methodChanges = named('AuthenticatorMethodChanges', {
  type: optional(Type.String()),
  status: optional(Type.String()),
  settings: optional(anything),
})

export const authenticatorMethod = named(
  'AuthenticatorMethod',
  { type: Type.String(), status, settings: Type.Optional(anything), _links: links },
  closed,
)

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
