import { type Static, Type } from 'typebox'
import { limitsOptions } from '../limits/index.ts'
import { managementOptions, resourcesOptions } from '../management/index.ts'
import { passwordOptions } from '../passwords/index.ts'
import { policiesOptions, recoveryOptions, signOnOptions } from '../policies/index.ts'

const duration = (description: string, defaultValue: string) =>
  Type.String({
    description,
    default: defaultValue,
    pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$',
    hint: 'a span such as `5m` or `1h30m`',
  })

const client = Type.Object(
  {
    id: Type.String({ description: 'The client id.', minLength: 1, maxLength: 100 }),
    label: Type.String({ description: 'The name that people see.', minLength: 1, maxLength: 100 }),
    secret: Type.Optional(
      Type.String({ description: 'The secret of a `web` client.', minLength: 16, secret: true }),
    ),
    applicationType: Type.Union([Type.Literal('web'), Type.Literal('browser'), Type.Literal('native')], {
      description: '`web` keeps a secret; `browser` and `native` prove themselves by PKCE alone.',
      default: 'web',
    }),
    redirectUris: Type.Array(Type.String(), { description: 'Compared as exact texts.' }),
    postLogoutRedirectUris: Type.Array(Type.String(), {
      description: 'Where sign-out may lead.',
      default: [],
    }),
    emailMagicLinkRedirectUri: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description:
          'Where a magic link leads. Absent: the redirect URI of the transaction. null: a page of the engine shows the code.',
      }),
    ),
    insecureLocalhostRedirects: Type.Optional(
      Type.Boolean({ description: 'Any http://localhost address counts as registered. Development only.' }),
    ),
  },
  { additionalProperties: false },
)

const person = Type.Object(
  {
    login: Type.String({ description: 'Her username.' }),
    email: Type.Optional(Type.String({ description: 'Her primary email; the login where absent.' })),
    password: Type.Optional(Type.String({ description: 'Her first password.', secret: true })),
    firstName: Type.Optional(Type.String({ description: 'Her given name.' })),
    lastName: Type.Optional(Type.String({ description: 'Her family name.' })),
    locale: Type.Optional(Type.String({ description: 'The language of her mails, such as `de-AT`.' })),
  },
  { additionalProperties: false },
)

/** The whole configuration. Every option has a default, except what production must be told. */
export const configOptions = Type.Object(
  {
    mode: Type.Union([Type.Literal('development'), Type.Literal('test'), Type.Literal('production')], {
      description:
        'What is refused: `production` takes no generated secret, no http issuer, no in-memory mail.',
      default: 'development',
    }),
    issuer: Type.Optional(
      Type.String({ description: 'The public address of the engine, such as `https://id.example.com`.' }),
    ),
    secrets: Type.Array(Type.String({ minLength: 16 }), {
      description:
        'The master secrets, newest first: what is hashed and sealed in the database hangs on them.',
      default: [],
      secret: true,
    }),
    org: Type.Object(
      {
        name: Type.String({ description: 'What pages and mails call this installation.', default: 'Rekey' }),
      },
      { default: {} },
    ),
    database: Type.Object(
      {
        url: Type.String({
          description: '`postgres://…`, `sqlite:PATH`, or `memory`.',
          default: 'memory',
        }),
        poolSize: Type.Integer({
          description: 'Connections to PostgreSQL.',
          default: 10,
          minimum: 2,
          maximum: 200,
        }),
        migrate: Type.Boolean({
          description:
            'Whether a start brings the schema up to date. Where it does not, `rekey migrate` must, and a start refuses an older schema.',
          default: true,
        }),
      },
      { default: {} },
    ),
    http: Type.Object(
      {
        host: Type.String({ description: 'The address to listen on.', default: 'localhost' }),
        port: Type.Integer({
          description: 'The port to listen on; 0: any free one.',
          default: 9000,
          minimum: 0,
          maximum: 65_535,
        }),
        trustedProxies: Type.Array(Type.String(), {
          description: 'Addresses or CIDR ranges whose X-Forwarded-For is believed.',
          default: [],
        }),
      },
      { default: {} },
    ),
    mail: Type.Object(
      {
        url: Type.Optional(
          Type.String({ description: 'The SMTP server: `smtp://user:password@host:port` or `smtps://…`.' }),
        ),
        from: Type.String({
          description:
            'The sender of all mails. Where it is absent and there is an `issuer`: `no-reply@` its host.',
          default: 'no-reply@rekey.localhost',
        }),
        fromName: Type.Optional(
          Type.String({ description: "The sender's name; the installation's where absent." }),
        ),
        connections: Type.Integer({
          description: 'Open connections to the mail server.',
          default: 5,
          minimum: 1,
          maximum: 50,
        }),
        deliver: Type.Boolean({
          description: 'Whether this node delivers mails. Where it does not, another node must.',
          default: true,
        }),
        spreadMs: Type.Integer({
          description:
            'A mail leaves after a random while of at most this many milliseconds, so that no request can feel whether one is being sent.',
          default: 250,
          minimum: 0,
          maximum: 5_000,
        }),
        templates: Type.Optional(
          Type.String({ description: 'A folder with mail templates that replace the built-in ones.' }),
        ),
      },
      { default: {} },
    ),
    lifetimes: Type.Object(
      {
        code: duration('A mailed code and its link.', '5m'),
        transaction: duration('A conversation, from its first page to its end.', '30m'),
        interactionCode: duration('An interaction code.', '60s'),
        accessToken: duration('An access token.', '1h'),
        idToken: duration('An ID token.', '1h'),
        refreshToken: duration('A refresh token; each use replaces it.', '30d'),
        session: duration('A session: no refresh after this.', '30d'),
      },
      { default: {} },
    ),
    log: Type.Object(
      {
        level: Type.Union(
          ['fatal', 'error', 'warn', 'info', 'debug', 'silent'].map((level) => Type.Literal(level)),
          { description: 'The least that is logged.', default: 'info' },
        ),
      },
      { default: {} },
    ),
    password: passwordOptions,
    policies: policiesOptions,
    recovery: recoveryOptions,
    signOn: signOnOptions,
    limits: limitsOptions,
    management: managementOptions,
    clients: Type.Array(client, { description: 'Apps to register.', default: [] }),
    resources: resourcesOptions,
    people: Type.Array(person, { description: 'People to create where they are missing.', default: [] }),
    trustedOrigins: Type.Array(Type.String(), {
      description: 'Origins that browsers may call from, besides those of the redirect URIs.',
      default: [],
    }),
  },
  { additionalProperties: false },
)

export type Config = Static<typeof configOptions>
export type ClientConfig = Config['clients'][number]
export type PersonConfig = Config['people'][number]
