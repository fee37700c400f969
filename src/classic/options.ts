import { Type } from 'typebox'

/** The classic slice of the configuration. */
export const classicOptions = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether older apps with a login form of their own are served: `/api/v1/authn`, `sessionToken` at authorize, `/login/sessionCookieRedirect` and `POST /api/v1/sessions`. Such apps see the passwords of their users; others redirect or use the interaction code.',
      default: false,
    }),
  },
  { default: {} },
)
