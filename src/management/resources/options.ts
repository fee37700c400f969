import { Type } from 'typebox'

const list = (description: string) => Type.Optional(Type.Array(Type.Unknown(), { description, secret: true }))

/** The part of the configuration that has the shapes of the management API. */
export const resourcesOptions = Type.Object(
  {
    userAttributes: list('Custom profile attributes: `name`, `type` and constraints.'),
    groups: list('Groups: `profile` with `name` and `description`.'),
    policies: list(
      'Policies: `type`, `name`, `conditions`, `settings`, and their `rules`; the order within a type is their priority.',
    ),
    apps: list(
      'Apps: `label`, `credentials.oauthClient`, `settings.oauthClient`, and `groups`: the names of the groups that they are assigned to.',
    ),
    authenticators: list('Authenticators: `key`, `status`, `settings`.'),
    trustedOrigins: list('Trusted origins: `name`, `origin`, `scopes`.'),
    people: list('Users: `profile`, and `groups`: the names of their groups.'),
  },
  { default: {}, additionalProperties: false },
)
