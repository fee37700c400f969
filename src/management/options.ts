import { type Static, Type } from 'typebox'

/** The management slice of the configuration. */
export const managementOptions = Type.Object(
  {
    apiToken: Type.Optional(
      Type.String({
        description:
          'The token that callers of the management API show. Stored as a hash; absent: the one before stays.',
        minLength: 32,
        secret: true,
      }),
    ),
    adminPage: Type.Optional(
      Type.Boolean({
        description:
          'Whether the engine serves the admin page at `/admin`, which asks for an API token. Absent: in development and tests, not in production.',
      }),
    ),
    recoveryPage: Type.Optional(
      Type.String({
        description:
          'Where the links of mails that an administrator sends lead on to: a page of an app that takes the recovery token, such as `https://app.example.com/recover/{token}`. Absent: a page of the engine that says how to go on.',
        pattern: '^https?://[^\\s]*\\{token\\}[^\\s]*$',
      }),
    ),
  },
  { default: {} },
)

export type ManagementOptions = Static<typeof managementOptions>
