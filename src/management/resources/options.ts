import { Type } from 'typebox'

const list = (description: string) => Type.Optional(Type.Array(Type.Unknown(), { description, secret: true }))

/** The slice of the configuration that is written in the shapes of the management API. */
export const resourcesOptions = Type.Object(
  {
    userAttributes: list(
      'Attributes of profiles besides those that all have: `name`, `type`, and what else is asked of them.',
    ),
    groups: list('Groups: `profile` with `name` and `description`.'),
    policies: list(
      'Policies: `type`, `name`, `conditions`, `settings`, and their `rules`; the order of those of one type is their priority.',
    ),
    apps: list(
      'Apps: `label`, `credentials.oauthClient`, `settings.oauthClient`, and `groups`: the names of those that they are assigned to.',
    ),
    authenticators: list('How authenticators are set up: `key`, `status`, `settings`.'),
    trustedOrigins: list('Trusted origins: `name`, `origin`, `scopes`.'),
    people: list('People: `profile`, and `groups`: the names of those that she is in.'),
  },
  { default: {}, additionalProperties: false },
)
