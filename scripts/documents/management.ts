import { managementScopes, operations, scopeOf } from '../../src/management/index.ts'

const head = `# The management API

Tools that configure an Okta org can configure this engine: the operations below have the paths, bodies and errors of Okta's
management API. Each request needs a token, \`Authorization: SSWS …\`, created by \`rekey token add\`; see
[the commands](commands.md). The unmodified \`@okta/okta-sdk-nodejs\` works with it, in versions 8 and 6:

\`\`\`ts
const client = new Client({ orgUrl: 'http://localhost:9000', token, testing: { disableHttpsCheck: true } })
await client.userApi.createUser({ activate: true, body: { profile, credentials: { password: { value } } } })
\`\`\`

A token has a role. \`read\` may read everything, \`users\` may also change users and group memberships, \`all\` may do
everything. Without a token, or with an unknown one, the response is 401 \`E0000011\`; if the role is not sufficient it is
403 \`E0000006\`. No response contains a secret, a code or a hash, with three exceptions on request: a new secret of an app, a
temporary password, and with \`sendEmail=false\` the link that would have been mailed.

## Access by OAuth

A service can use an access token instead of an API token, as \`@okta/okta-sdk-nodejs\` does with \`authorizationMode:
'PrivateKey'\`. Register an app with the \`application_type\` \`service\`, the grant \`client_credentials\`, the
\`token_endpoint_auth_method\` \`private_key_jwt\` and its public keys in \`settings.oauthClient.jwks\` (RSA of 2048 bits or more,
or EC; RS256 to ES512); then grant it scopes by \`POST /api/v1/apps/{appId}/grants\` with a \`scopeId\`. It gets its token at
\`POST /oauth2/v1/token\` of the org server, for its granted scopes; a request with any other scope is refused.

\`\`\`ts
const client = new Client({ orgUrl, authorizationMode: 'PrivateKey', clientId, privateKey, keyId,
  scopes: ['okta.users.manage', 'okta.groups.read'] })
\`\`\`

Each operation requires the scope given below; a scope to manage includes reading. Without it the response is 403
\`E0000006\`; with an unknown token, or the token of a user, it is 401 \`E0000011\`. Revoking a scope or deactivating an app takes
effect at once, also for issued tokens. An assertion can be used once and is valid for an hour at most. A service app can
neither grant a scope that its own token lacks, nor change the keys of an app that has such a scope. Not supported: tokens
bound by DPoP (the SDK accepts plain ones), \`jwks_uri\`, revoking and introspecting such tokens.

The scopes are ${managementScopes.map((scope) => `\`${scope}\``).join(', ')}.

## Finding users

\`q\` is the beginning of a first name, last name or email. \`filter\` and \`search\` compare with \`eq\`, \`ne\`, \`sw\`, \`co\`, \`gt\`, \`ge\`,
\`lt\`, \`le\` and \`pr\`, joined by \`and\` and \`or\`, with optional parentheses; \`filter\` accepts only \`eq\`, except for times. Logins, emails and
names are compared as identifiers, other attributes as texts, ignoring the case of ASCII letters. An attribute that a user does
not have matches nothing. Lists are in the order of ids, and a page never repeats users of an earlier page, even if users are added.

Login, email, first and last name (whole or their beginning), status, id, \`created\` and \`lastUpdated\` are found by an index on both
databases. Any other attribute, \`co\` and \`ne\` need a scan of all users: for 10,000 users that takes some tens of milliseconds.

## Limits

Every response has the number of remaining requests: \`X-Rate-Limit-Limit\`, \`X-Rate-Limit-Remaining\`, \`X-Rate-Limit-Reset\`
(seconds since 1970). Above \`limits.requests.managementPerAddress\` or \`limits.requests.management\` the response is 429
\`E0000047\` with \`Retry-After\`; the SDK waits automatically.

## Recovery by an administrator

\`reset_password\` invalidates the password, ends open transactions and sessions, and mails a link; \`forgot_password\` mails a link
and does not change the password. The last part of the path of the link is a recovery token. It is valid for one new password
within an hour, and is invalidated by any other change of the password, the email or the status. An app uses it with
\`idx.recoverPassword({ recoveryToken })\`, which asks for the new password at once. \`management.recoveryPage\` is the address
in an app that the links open; without it they show a page with instructions. A user with the status RECOVERY can also use
the normal recovery.

## Supported policy settings

By group and by user, the first match in order applies. These settings are supported:

- Of password policies: complexity with \`excludeUsername\`, \`excludeAttributes\` and \`dictionary.common\`, age with
  \`historyCount\`, and \`lockout.maxAttempts\` with \`autoUnlockMinutes\`. Of their rules: \`selfServicePasswordReset\` with its
  \`requirement\`, and \`selfServiceUnlock\`: if that is denied, a recovery does not unlock an account. A policy without
  \`lockout\` locks no accounts. Wrong passwords no longer count after \`autoUnlockMinutes\`, a correct password or an unlock.
- Of global session policies: \`access\`, \`primaryFactor\`, \`requireFactor\`.
- Of access policies, for the apps they are mapped to: \`access\`, \`factorMode\`, and constraints that the password
  (knowledge) and the mailbox (possession) can satisfy. Constraints that neither can satisfy deny every sign-in.

Locked accounts, denied accounts and unknown users get the same responses until the user is authenticated.

## The user schema

\`/api/v1/meta/schemas/user/default\` defines the attributes of profiles. Custom attributes are added below
\`definitions.custom.properties\`: a \`type\` (string, boolean, number, integer, array), and optionally \`required\`,
\`minLength\`, \`maxLength\`, \`enum\`, \`pattern\`, \`permissions\`; \`null\` removes one from the schema and from all profiles. Every
write of a profile is validated, over HTTP, by the command line and by the testing kit: 400 \`E0000001\` with a cause per attribute,
also for unknown attributes. Stored profiles are not validated again. With the scope \`profile\` apps get custom attributes in
userinfo and in the ID token, except those with the permission \`HIDE\` and those with the name of a standard claim.
\`master\`, \`unique\` and the like are stored but ignored.

## Authenticators

Of the email authenticator \`tokenLifetimeInMinutes\` is the lifetime of a code, and \`allowedFor\` (any, sso, recovery, none)
its allowed use; other nodes follow within two seconds. It cannot be deactivated or restricted while an active policy needs it:
403 \`E0000148\`. The password authenticator is always active.

## Secrets of apps

An app has two secrets at most. Create a second one, configure it in the app, deactivate the first, and delete it when all works:
a secret is valid while it is ACTIVE, and its text is returned only once. \`email_magic_link_redirect_uri\` in
\`settings.oauthClient\` is the target of magic links.

## The admin page

![The admin page: a user with status, actions and latest events](assets/admin.png)

\`/admin\` of the engine: users with search, status and latest events; reset a password (sends the mail), unlock, suspend,
unsuspend; read-only views of apps, policies and the log. It asks for an API token, stores it in the tab (\`sessionStorage\`) and
has the permissions of the token: \`read\` to view, \`users\` to act. \`/\` focuses the search, arrow keys move. The page consists of
three static files that load no other resources, and its content security policy prevents injected markup. It is available in
development, where the tab Admin of the inbox opens it with the token of \`rekey dev\`; in production only with
\`management.adminPage: true\`, preferably behind a proxy that restricts \`/admin\` and \`/api/v1\` to administrators.

## As OpenAPI

The whole HTTP API, with OAuth, IDX and health, is described in [openapi.yaml](openapi.yaml) (OpenAPI 3.1), generated from the
operations below. \`rekey dev\` serves it at \`/openapi/engine.json\` of the inbox address. A test compares the routes, responses
and errors of a running engine with it.

## As a file

Groups, policies, apps, trusted origins and users can be defined in one file: [configuration-as-code.md](configuration-as-code.md).

## Imported password hashes

\`credentials.password.hash\` accepts the formats of Okta, \`BCRYPT\`, \`PBKDF2\`, \`SHA-512\`, \`SHA-256\`, \`SHA-1\` and \`MD5\`; besides, \`value\`
may be one text in PHC string format for \`ARGON2ID\`, \`ARGON2I\`, \`ARGON2D\`, \`SCRYPT\`, \`PBKDF2\` (\`$pbkdf2-sha256$i=…,l=…$salt$hash\`), or
bcrypt's own. At the first successful sign-in it is replaced by an argon2id hash. Parameters that cost more than about a second or 256 MiB
per sign-in are refused: bcrypt beyond a \`workFactor\` of 14, PBKDF2 beyond 2,000,000 rounds.

## Settings that are ignored

Bodies are stored as they are sent. Settings that the engine ignores are logged when they are set: \`a policy asks for what is
not obeyed\`, with the members.

- A rule with an unsupported condition, such as a network, a device or a risk, applies to no user.
- Policies of the types MFA_ENROLL, PROFILE_ENROLLMENT and IDP_DISCOVERY.
- Methods of recovery other than \`email\`, methods of \`stepUp\`, \`passwordChange\`, \`expireWarnDays\`, notes about a lockout.
- Lifetimes of sessions in global session policies.
- Of the user schema \`unique\`, \`master\`, \`format\`, \`oneOf\`, \`minimum\` and \`maximum\`; of authenticators all settings not named above.
- Recovery questions are stored as hashes but not used.
- The authorization server is read-only.
- \`sortBy\` of lists is refused.
`

/** Generates docs/management.md: a description and all operations. */
export function managementPage(): string {
  const rows = operations.map(
    ({ method, path, role, summary }) =>
      `| \`${method}\` | \`/api/v1${path.replace(/:(\w+)/g, '{$1}')}\` | \`${role}\` | \`${scopeOf({ method, path })}\` | ${summary} |`,
  )
  return `${head}\n## Operations\n\nHow they compare with the public management API is in [operations.md](operations.md).\n\n| method | path | role | scope | effect |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}
