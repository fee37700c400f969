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
  },
  { default: {} },
)

export type ManagementOptions = Static<typeof managementOptions>
