import { ProtocolError } from './errors.ts'

interface Described {
  readonly status: number
  /** What the answer says, where the place that refuses says nothing more exact. */
  readonly summary: string
  /** For the table of docs/errors.md. */
  readonly meaning: string
}

/** The errors of the APIs that answer in Okta's shape (`errorCode`, `errorSummary`, `errorCauses`), by their codes. */
export const errorCodes = {
  E0000001: {
    status: 400,
    summary: 'Api validation failed',
    meaning:
      'A body or a query parameter is invalid. `errorCauses` has a sentence for each member: `name: what it must be`.',
  },
  E0000003: {
    status: 400,
    summary: 'The request body was not well-formed.',
    meaning:
      'The body is no JSON, or the request no valid HTTP. 413 and 431 where something is too large, 408 where it came too slowly.',
  },
  E0000006: {
    status: 403,
    summary: 'You do not have permission to perform the requested action',
    meaning:
      'The role of the API token, or the scope of the access token, does not suffice. Of a browser: its origin is none that is trusted.',
  },
  E0000007: {
    status: 404,
    summary: 'Not found.',
    meaning: 'No such path, or no resource with this id.',
  },
  E0000009: {
    status: 500,
    summary: 'Internal Server Error',
    meaning: 'A fault of the engine. `errorId` finds it in the log.',
  },
  E0000010: {
    status: 503,
    summary: 'The service is busy. Try again in a moment.',
    meaning:
      'The database is away, or the queue of passwords is full. Nothing was written; `Retry-After` has the seconds to wait.',
  },
  E0000004: {
    status: 401,
    summary: 'Authentication failed',
    meaning:
      'A code that was sent to an address of the user is wrong, or not good any more. Of the classic API: the name or password is wrong, or the user may not sign in.',
  },
  E0000008: {
    status: 404,
    summary: 'The requested path was not found',
    meaning: 'The user has no such phone.',
  },
  E0000011: {
    status: 401,
    summary: 'Invalid token provided',
    meaning: 'The API token, access token, or state token of the classic API is missing, unknown or expired.',
  },
  E0000014: {
    status: 403,
    summary: 'Update of credentials failed',
    meaning:
      'The old password that was sent is not the user’s, or the new one does not meet the policy. `errorCauses` says which rule.',
  },
  E0000016: {
    status: 403,
    summary: 'Activation failed because the user is already active',
    meaning: 'The user needs no activation.',
  },
  E0000021: {
    status: 415,
    summary: 'Bad request. Accept and/or Content-Type headers likely do not match supported values.',
    meaning: 'The body has a content type that the path does not take.',
  },
  E0000022: {
    status: 405,
    summary: 'The endpoint does not support the provided HTTP method',
    meaning: 'The path is there, with other methods: they are in `Allow`.',
  },
  E0000031: {
    status: 400,
    summary: 'Invalid search criteria.',
    meaning: '`search`, `filter` or `q` cannot be evaluated. `errorCauses` says why.',
  },
  E0000032: {
    status: 403,
    summary: 'Unlock is not allowed for this user.',
    meaning: 'The status of the user has nothing to unlock.',
  },
  E0000034: {
    status: 403,
    summary: 'Forgot password not allowed on specified user.',
    meaning:
      'Of the classic API: the policies allow no recovery or unlock by this way; after a proof, the one of the user allows none.',
  },
  E0000087: {
    status: 403,
    summary: 'The recovery question answer did not match our records.',
    meaning: 'Of the classic API: the answer to the security question is wrong.',
  },
  E0000095: {
    status: 403,
    summary: 'Recovery not allowed for unknown user.',
    meaning:
      'Of the classic API: no user has this name, and `policies.recovery.revealUnknown` lets it be known.',
  },
  E0000038: {
    status: 403,
    summary: "This operation is not allowed in the user's current status.",
    meaning: 'Read the status of the user; [statuses.md](statuses.md) has what each allows.',
  },
  E0000047: {
    status: 429,
    summary: 'API call exceeded rate limit due to too many requests.',
    meaning:
      '`X-Rate-Limit-Reset` has the time from which on calls are taken again, `Retry-After` the seconds until then.',
  },
  E0000053: {
    status: 400,
    summary: 'Invalid filter.',
    meaning:
      'The `filter` of the system log or of apps cannot be evaluated. The summary says why. For users and groups it is `E0000031`.',
  },
  E0000056: {
    status: 403,
    summary: 'Delete application forbidden.',
    meaning: 'An app is deactivated before it is deleted.',
  },
  E0000060: {
    status: 501,
    summary: 'Unsupported operation.',
    meaning: 'The group Everyone cannot be changed.',
  },
  E0000068: {
    status: 403,
    summary: 'Invalid Passcode/Answer',
    meaning: 'The code or answer that was sent for a factor is wrong, was used before, or its time is over.',
  },
  E0000069: {
    status: 403,
    summary: 'User Locked',
    meaning:
      'Too many wrong answers were sent for a factor of the user: none is checked for up to a day, or until an administrator unlocks the user.',
  },
  E0000079: {
    status: 403,
    summary: 'This operation is not allowed in the current authentication state.',
    meaning:
      'The transaction of the state token asks for something else now: `_links` of its state says what.',
  },
  E0000109: {
    status: 429,
    summary: 'An SMS message was recently sent. Please wait 30 seconds before trying again.',
    meaning: 'A code was sent to the user, by text or call, within the last 30 seconds.',
  },
  E0000118: {
    status: 429,
    summary: 'An email was recently sent. Please wait 5 seconds before trying again.',
    meaning: 'A code was mailed to the user within the last 5 seconds.',
  },
  E0000148: {
    status: 403,
    summary:
      'Cannot modify or disable this authenticator because it is enabled in one or more policies. To continue, disable the authenticator in these policies.',
    meaning: 'The authenticator is in use by a policy.',
  },
  E0000149: {
    status: 406,
    summary: 'The HTTP request is not acceptable',
    meaning:
      'A call of the MyAccount API names no version in `Accept`: `application/json; okta-version=1.0.0`.',
  },
  E0000215: {
    status: 403,
    summary: 'The sign-in policy asks for something that this API cannot do.',
    meaning:
      'The policy of the user asks for a method, an enrolment or a form that the classic API does not have: redirect the user to the sign-in page.',
  },
  E0000157: {
    status: 409,
    summary: 'The request conflicts with the current state of the account.',
    meaning:
      'The user has this address or number already, the same change waits or does not any more, or what the call confirms is over: read what there is now, then call again. `errorCauses` says which.',
  },
} as const satisfies Readonly<Record<string, Described>>

export type ErrorCode = keyof typeof errorCodes

/** An error of these APIs. Its status and summary are those of the table, where none is given. */
export const apiError = (
  code: ErrorCode,
  {
    status = errorCodes[code].status,
    summary = errorCodes[code].summary,
    ...options
  }: {
    readonly status?: number
    readonly summary?: string
  } & ConstructorParameters<typeof ProtocolError>[3] = {},
): ProtocolError => new ProtocolError(status, code, summary, options)
