import { Type } from 'typebox'

/** The management slice of the configuration. */
export const managementOptions = Type.Object(
  {
    apiToken: Type.Optional(
      Type.String({
        description:
          'An API token with the role `all`. Stored as a hash; absent: a token that was configured before stays valid.',
        minLength: 32,
        secret: true,
      }),
    ),
    apiTokenFile: Type.Optional(
      Type.String({ description: 'A file with the API token, instead of the text.', minLength: 1 }),
    ),
    adminPage: Type.Optional(
      Type.Boolean({
        description:
          'Whether the engine serves the admin page at `/admin`, which asks for an API token. Default: in development and tests, not in production.',
      }),
    ),
    host: Type.Optional(
      Type.String({
        description:
          'The only name that the admin page is served under, such as `admin.example.com`, and served in production too: an origin of its own, whose stored API token no sign-in page shares, and which a proxy lets administrators alone reach. The API is there as well, and stays at the address of the issuer. Absent: the page has no name of its own.',
        pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
        hint: 'a host name in small letters, without a port, such as admin.example.com',
      }),
    ),
    scannedUsers: Type.Integer({
      description:
        'The most users that a search reads one by one where no index answers it (`co`, an attribute without an index). A search that would read more is answered 400 with the reason; 50,000 take about half a second.',
      minimum: 0,
      maximum: 10_000_000,
      default: 50_000,
    }),
    recoveryPage: Type.Optional(
      Type.String({
        description:
          'Where links in mails that an administrator sends redirect to: a page of an app that accepts the recovery token, such as `https://app.example.com/recover/{token}`. Absent: a page of the engine, whose form leads to the new password.',
        pattern: '^https?://[^\\s]*\\{token\\}[^\\s]*$',
        hint: 'an address with {token} in it, such as https://app.example.com/recover/{token}',
      }),
    ),
    activationPage: Type.Optional(
      Type.String({
        description:
          'The same for the links of activation mails: a page that accepts the activation token, such as `https://app.example.com/activate/{token}`. Absent: `management.recoveryPage`.',
        pattern: '^https?://[^\\s]*\\{token\\}[^\\s]*$',
        hint: 'an address with {token} in it, such as https://app.example.com/activate/{token}',
      }),
    ),
  },
  { default: {} },
)
