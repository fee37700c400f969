import { type Static, Type } from 'typebox'
import { eventsOptions } from '../audit/index.ts'
import { durationIn } from '../base/index.ts'
import { brandOptions } from '../brand/index.ts'
import { captchaOptions } from '../captcha/index.ts'
import { classicOptions } from '../classic/index.ts'
import { limitsOptions } from '../limits/index.ts'
import { managementOptions, resourcesOptions } from '../management/index.ts'
import { pagesOption, widgetOptions } from '../pages/index.ts'
import { passwordOptions } from '../passwords/index.ts'
import { policiesOptions, recoveryOptions, signOnOptions, signUpOptions } from '../policies/index.ts'

type Span = readonly [least: string, most: string]

/** @param span the shortest and the longest that what uses it can hold */
const duration = (description: string, defaultValue: string, span: Span) =>
  Type.String({ description, default: defaultValue, ...durationIn(...span) })

const durationOfNode = (description: string, defaultValue: string, span: Span) =>
  Type.String({ description, default: defaultValue, ofNode: true, ...durationIn(...span) })

/** What is 0 ends before it begins; ten years can be added to any time. */
const lifetime = (description: string, defaultValue: string) =>
  duration(description, defaultValue, ['1s', '3652d'])

/** The option beside a secret value that names its file. The loader puts the value in its place. */
const fileOf = (what: string) =>
  Type.Optional(Type.String({ description: `A file with ${what}, instead of the text.`, minLength: 1 }))

const client = Type.Object(
  {
    id: Type.String({ description: 'The client id.', minLength: 1, maxLength: 100 }),
    label: Type.String({ description: 'The name that users see.', minLength: 1, maxLength: 100 }),
    secret: Type.Optional(
      Type.String({ description: 'The secret of a `web` client.', minLength: 16, secret: true }),
    ),
    secretFile: fileOf('the secret'),
    applicationType: Type.Union([Type.Literal('web'), Type.Literal('browser'), Type.Literal('native')], {
      description: '`web` has a secret; `browser` and `native` use PKCE alone.',
      default: 'web',
    }),
    redirectUris: Type.Array(Type.String(), {
      description: 'The allowed redirect URIs, compared as exact strings.',
    }),
    postLogoutRedirectUris: Type.Array(Type.String(), {
      description: 'The allowed redirect URIs after sign-out.',
      default: [],
    }),
    backchannelLogoutUri: Type.Optional(
      Type.String({
        description:
          'Where the app is sent a logout token when a session of it ends (OpenID Connect Back-Channel Logout 1.0): an https address. Absent: it is sent none.',
        maxLength: 1024,
      }),
    ),
    grantTypes: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Literal('authorization_code'),
          Type.Literal('implicit'),
          Type.Literal('interaction_code'),
          Type.Literal('refresh_token'),
        ]),
        {
          description:
            'How the app gets tokens: `authorization_code` for apps that redirect to the pages of the engine, `interaction_code` for those that show their own, `refresh_token` besides; `implicit` counts only where `oauth.implicit` is on. Absent: `interaction_code` and `refresh_token`.',
        },
      ),
    ),
    emailMagicLinkRedirectUri: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description:
          'The address that a magic link opens. Absent: the redirect URI of the transaction. null: a page of the engine that shows the code.',
      }),
    ),
    emailMethodChoice: Type.Optional(
      Type.Boolean({
        description:
          'Whether the method is asked for before a mail with a code leaves. Absent: `authenticators.email.methodChoice`.',
      }),
    ),
    profileCompletion: Type.Optional(
      Type.Boolean({
        description:
          'Whether a sign-in asks for attributes that the profile enrollment policy requires and the user does not have, where the policy says so. Absent: true.',
      }),
    ),
    refreshTokenLeeway: Type.Optional(
      Type.Integer({
        description:
          'How many seconds a spent refresh token is answered with its successor again, for lost responses and parallel tabs. 0: a second use ends the family at once. Absent: 30.',
        minimum: 0,
        maximum: 60,
      }),
    ),
    brand: Type.Optional(brandOptions),
    insecureLocalhostRedirects: Type.Optional(
      Type.Boolean({
        description:
          'Accept any http://localhost address with a port and no query as a redirect URI. Development only.',
      }),
    ),
  },
  { additionalProperties: false },
)

const person = Type.Object(
  {
    login: Type.String({ description: 'The username.' }),
    email: Type.Optional(Type.String({ description: 'The primary email; default: the login.' })),
    password: Type.Optional(Type.String({ description: 'The initial password.', secret: true })),
    passwordFile: fileOf('the initial password'),
    firstName: Type.Optional(Type.String({ description: 'The given name.' })),
    lastName: Type.Optional(Type.String({ description: 'The family name.' })),
    locale: Type.Optional(
      Type.String({ description: 'The language of mails to the user, such as `de-AT`.' }),
    ),
  },
  { additionalProperties: false },
)

/** The whole configuration. Every option has a default, except those that production requires. */
export const configOptions = Type.Object(
  {
    mode: Type.Union([Type.Literal('development'), Type.Literal('test'), Type.Literal('production')], {
      ofNode: true,
      description:
        'The strictness of the checks: `production` refuses generated secrets, an http issuer and in-memory mail.',
      default: 'development',
    }),
    issuer: Type.Optional(
      Type.String({ description: 'The public address of the engine, such as `https://id.example.com`.' }),
    ),
    secrets: Type.Array(Type.String({ minLength: 16 }), {
      ofNode: true,
      description:
        'The master secrets, from which the keys for hashing and encryption in the database are derived: new values use the first one, the others are accepted beside it. `rekey keys rotate --help` has the order in which they are replaced.',
      default: [],
      secret: true,
    }),
    workers: Type.Union([Type.Integer({ minimum: 1, maximum: 256 }), Type.Literal('auto')], {
      ofNode: true,
      description:
        'How many processes `rekey serve` answers with, on one port; `auto`: as many as there are cores. What a node may do at once and what it allows (`limits`, `password.concurrency`, `mail.connections`, `database.poolSize`, `http.connectionsPerAddress`) is of all of them together.',
      default: 1,
      hint: 'a number of processes or `auto`',
    }),
    secretsFile: fileOf('the secrets (several files separated by commas)'),
    org: Type.Object(
      {
        name: Type.String({
          description: 'The name of this installation in pages and mails.',
          default: 'Rekey',
        }),
      },
      { default: {} },
    ),
    brand: Type.Optional(brandOptions),
    pages: pagesOption,
    widget: widgetOptions,
    database: Type.Object(
      {
        url: Type.String({
          description:
            '`postgres://user:password@host:5432/database` (several hosts separated by commas: the first that takes writes), `sqlite:PATH`, or `memory`.',
          default: 'memory',
        }),
        urlFile: fileOf('the address of the database'),
        poolSize: Type.Integer({
          description: 'Connections to PostgreSQL.',
          default: 10,
          minimum: 2,
          maximum: 200,
        }),
        pooler: Type.Union([Type.Literal('session'), Type.Literal('transaction')], {
          description:
            'What stands in front of PostgreSQL: `session` for nothing, or a pooler in session mode; `transaction` for one that gives each transaction another connection (PgBouncer with `pool_mode = transaction`, RDS Proxy, Supavisor, Neon). Then statements have no names and nothing is set on a session.',
          default: 'session',
        }),
        maxLifetimeSeconds: Type.Integer({
          description:
            'For how long a connection to PostgreSQL is used at most, in seconds; each ends up to a tenth earlier. 0: without end.',
          default: 1800,
          minimum: 0,
          maximum: 86_400,
        }),
        migrate: Type.Boolean({
          description:
            'Migrate the database at the start. With `false` the engine refuses an older schema, and `rekey migrate` must be run first.',
          default: true,
        }),
      },
      { default: {}, ofNode: true },
    ),
    http: Type.Object(
      {
        host: Type.String({ ofNode: true, description: 'The address to listen on.', default: 'localhost' }),
        port: Type.Integer({
          ofNode: true,
          description: 'The port to listen on; 0: any free port.',
          default: 9000,
          minimum: 0,
          maximum: 65_535,
        }),
        trustedProxies: Type.Array(Type.String(), {
          description: 'Addresses or CIDR ranges of proxies whose X-Forwarded-For is trusted.',
          default: [],
        }),
        shutdownDelay: Type.Optional(
          Type.String({
            ofNode: true,
            description:
              'How long a node goes on answering after SIGTERM, with `/health/ready` at 503, before it closes its port. Longer than the balancer in front takes to notice, and than it keeps idle connections; an hour at most. Default: `5s` in production, else `0s`.',
            ...durationIn('0s', '1h', '`5s` or `1m30s`'),
          }),
        ),
        keepAlive: durationOfNode(
          'How long an idle connection stays open. Longer than the balancer in front keeps its own, or it sends requests into connections that are just being closed.',
          '10m20s',
          ['1s', '24h'],
        ),
        // 0 would be no limit at all: a request that never ends holds its connection (slowloris).
        headersTimeout: durationOfNode(
          'How long the head of a request may take to arrive; not longer than `http.requestTimeout`.',
          '10s',
          ['1s', '1h'],
        ),
        requestTimeout: durationOfNode('How long a whole request may take to arrive.', '30s', ['1s', '1h']),
        connectionsPerAddress: Type.Integer({
          ofNode: true,
          description:
            'How many connections one address (IPv6: one /64) may have open at once; 0: any number. Those of `http.trustedProxies` are not limited.',
          default: 1000,
          minimum: 0,
          maximum: 1_000_000,
        }),
        accessLog: Type.Boolean({
          ofNode: true,
          description:
            'Log a line for each answer at level `info`: method, route, status, milliseconds, request id, no address and no query.',
          default: false,
        }),
      },
      { default: {} },
    ),
    metrics: Type.Object(
      {
        port: Type.Optional(
          Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), Type.Literal('off')], {
            description:
              'The port of a listener of its own for `/metrics` and `/health/*`; 0: any free port; `off`: none. Default: 9464 in production, else `off`. Where the default is in use, as by a second node on the machine, any free port is taken.',
            hint: 'a port number or `off`',
          }),
        ),
        host: Type.String({
          description: 'The address of that listener. It asks for no password.',
          default: '127.0.0.1',
        }),
        public: Type.Optional(
          Type.Boolean({
            description:
              'Answer `/metrics` on the public port, too. Default: not in production, where anyone could read them.',
          }),
        ),
      },
      { default: {}, ofNode: true },
    ),
    mail: Type.Object(
      {
        url: Type.Optional(
          Type.String({ description: 'The SMTP server: `smtp://user:password@host:port` or `smtps://…`.' }),
        ),
        urlFile: fileOf('the address of the mail server'),
        from: Type.String({
          description:
            'The sender of all mails: an address, or `Example <no-reply@example.com>`. If it is not set and there is an `issuer`: `no-reply@` and its host.',
          default: 'no-reply@rekey.localhost',
        }),
        fromName: Type.Optional(
          Type.String({ description: 'The name of the sender; default: the name of the installation.' }),
        ),
        connections: Type.Integer({
          ofNode: true,
          description:
            'The number of open connections to the mail server; up to five times as many while it is slow to answer.',
          default: 5,
          minimum: 1,
          maximum: 50,
        }),
        insecurePlainSmtp: Type.Boolean({
          description:
            'Allow a mail server on another machine to be spoken to without TLS, or with a certificate that is not valid. Codes, links and the password of the mail server can then be read on the way.',
          default: false,
        }),
        heloName: Type.Optional(
          Type.String({
            description:
              'The name that this engine gives to the mail server (EHLO); default: the host of the issuer, else the domain of the sender.',
            pattern: '^([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*|\\[[0-9A-Za-z:.]+\\])$',
            hint: 'a host name such as `id.example.com`',
          }),
        ),
        suppression: duration(
          'For how long an address that the mail server has refused for good gets no mail; `0s`: it is tried each time.',
          '1d',
          ['0s', '36500d'],
        ),
        deliver: Type.Boolean({
          ofNode: true,
          description: 'Deliver mails from this node. With `false` another node must deliver them.',
          default: true,
        }),
        spreadMs: Type.Integer({
          description:
            'The largest random delay of a mail in milliseconds, so that response times do not reveal whether a mail is sent.',
          default: 250,
          minimum: 0,
          maximum: 5_000,
        }),
        notices: Type.Object(
          {
            passwordChanged: Type.Boolean({
              description: 'Notify users of a new password, and of one that was expired.',
              default: true,
            }),
            authenticatorEnrolled: Type.Boolean({
              description: 'Notify users of an authenticator that was set up.',
              default: true,
            }),
            authenticatorReset: Type.Boolean({
              description: 'Notify users of an authenticator that was removed.',
              default: true,
            }),
            accountUnlocked: Type.Boolean({
              description: 'Notify users that their locked account was unlocked by the self-service.',
              default: true,
            }),
          },
          { default: {} },
        ),
        templates: Type.Optional(
          Type.String({
            ofNode: true,
            description: 'A folder with mail templates that replace the built-in ones.',
          }),
        ),
      },
      { default: {} },
    ),
    telephony: Type.Object(
      {
        hook: Type.Object(
          {
            url: Type.Optional(
              Type.String({
                description:
                  'The service that sends texts and calls, in the shape of Okta’s telephony inline hook: an https address. Without it no text leaves this machine.',
              }),
            ),
            headerName: Type.String({
              description: 'The header by which the service recognises this engine.',
              default: 'Authorization',
              pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
              hint: 'the name of a header, such as `x-api-key`',
            }),
            secret: Type.Optional(
              Type.String({ description: 'The value of that header.', minLength: 16, secret: true }),
            ),
            secretFile: fileOf('that value'),
            insecureAddresses: Type.Boolean({
              description:
                'Allow the service to be on this machine, by http as well, or in a private network. Link-local addresses are never called.',
              default: false,
            }),
          },
          { default: {} },
        ),
        countries: Type.Array(Type.String({ pattern: '^[A-Z]{2}$', hint: 'a country such as `AT`' }), {
          description:
            'The countries (ISO 3166-1) whose numbers get texts and calls. Empty: all. Numbers of no country, such as those of satellites, get none where it is set.',
          default: [],
          uniqueItems: true,
        }),
      },
      { default: {} },
    ),
    backchannelLogout: Type.Object(
      {
        insecureAddresses: Type.Optional(
          Type.Boolean({
            description:
              'Allow apps to be sent logout tokens on this machine, by http as well, or in a private network. Link-local addresses are never called. Default: false in production, else true.',
          }),
        ),
      },
      { default: {} },
    ),
    lifetimes: Type.Object(
      {
        code: lifetime('Mailed codes and links.', '5m'),
        transaction: lifetime('Transactions, from the first page to the end.', '30m'),
        interactionCode: lifetime('Interaction codes.', '60s'),
        accessToken: lifetime('Access tokens.', '1h'),
        idToken: lifetime('ID tokens.', '1h'),
        refreshToken: lifetime('Refresh tokens; each use replaces the token.', '30d'),
        session: lifetime('Sessions; tokens cannot be refreshed after this.', '30d'),
        authorizationCode: lifetime('Authorization codes, which `authorize` answers.', '5m'),
        browserIdle: lifetime(
          "Sessions of browsers on the engine's own pages, after their last use: until then another app signs its user in without asking.",
          '2h',
        ),
        browserSession: lifetime('The same, however often they are used.', '24h'),
      },
      { default: {} },
    ),
    oauth: Type.Object(
      {
        implicit: Type.Boolean({
          description:
            'Whether `authorize` hands tokens to the browser, by the implicit flow and the hybrid ones, to apps with the grant type `implicit`. For old apps alone: such tokens are bound to nothing and can be stolen on their way (RFC 9700, section 2.1.2).',
          default: false,
        }),
      },
      { default: {} },
    ),
    log: Type.Object(
      {
        level: Type.Union(
          ['fatal', 'error', 'warn', 'info', 'debug', 'silent'].map((level) => Type.Literal(level)),
          { description: 'The lowest level that is logged.', default: 'info' },
        ),
      },
      { default: {}, ofNode: true },
    ),
    account: Type.Object(
      {
        waitingTime: duration(
          'For how long a change that users make of their own account waits where they have proven no factor from before: a new email, or the removal of a factor. Meanwhile a link in a notice stops it. A factor that was added so begins no recovery for as long. `0s`: nothing waits.',
          '24h',
          ['0s', '30d'],
        ),
        stepUp: duration(
          'How old the sign-in may be when users change their own account; after that the app has them sign in anew.',
          '15m',
          ['1m', '24h'],
        ),
      },
      { default: {} },
    ),
    authenticators: Type.Object(
      {
        email: Type.Object(
          {
            methodChoice: Type.Boolean({
              description:
                'Whether the method is asked for before a mail with a code leaves (`authenticator-verification-data`), as newer orgs of Okta do. With `false` the mail leaves as soon as email is chosen. An app may have its own setting.',
              default: false,
            }),
          },
          { default: {} },
        ),
      },
      { default: {} },
    ),
    password: passwordOptions,
    webauthn: Type.Object(
      {
        rpId: Type.Optional(
          Type.String({
            description:
              'The domain that passkeys are bound to (RP ID): the host of the issuer or a domain above it. Passkeys work for the domain they were made for only, so it is chosen once. Default: the host of the issuer.',
            minLength: 1,
          }),
        ),
        nativeOrigins: Type.Array(Type.String(), {
          description: 'Origins of native apps that may use passkeys, such as `android:apk-key-hash:…`.',
          default: [],
        }),
      },
      { default: {} },
    ),
    policies: policiesOptions,
    recovery: recoveryOptions,
    signOn: signOnOptions,
    signUp: signUpOptions,
    limits: limitsOptions,
    captcha: captchaOptions,
    classic: classicOptions,
    events: eventsOptions,
    management: managementOptions,
    clients: Type.Array(client, { description: 'Apps to register.', default: [] }),
    resources: resourcesOptions,
    people: Type.Array(person, { description: 'Users to create if they do not exist.', default: [] }),
    trustedOrigins: Type.Array(Type.String(), {
      description: 'Origins that may call the engine from a browser, besides those of the redirect URIs.',
      default: [],
    }),
  },
  { additionalProperties: false },
)

export type Config = Static<typeof configOptions>
export type ClientConfig = Config['clients'][number]
export type PersonConfig = Config['people'][number]
