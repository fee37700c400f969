import { managementScopes, operations, scopeOf } from '../../src/management/index.ts'

const head = `# The management API

What sets an Okta org up can set this engine up: the routes below have the paths, bodies and errors of Okta's management
API. Each call shows a token of its own, \`Authorization: SSWS …\`, made by \`rekey token create\`; see
[the commands](commands.md). The unmodified \`@okta/okta-sdk-nodejs\` works against it, in the majors 8 and 6:

\`\`\`ts
const client = new Client({ orgUrl: 'http://localhost:9000', token, testing: { disableHttpsCheck: true } })
await client.userApi.createUser({ activate: true, body: { profile, credentials: { password: { value } } } })
\`\`\`

A token has a role. \`read\` may read everything, \`users\` may also change people and who is in which group, \`all\` may
do everything. Without a token, or with one that is not known, the answer is 401 \`E0000011\`; a role that is too weak gets
403 \`E0000006\`. No answer holds a secret, a code or a hash, with three exceptions that are what was asked for: a new secret
of an app, a temporary password, and with \`sendEmail=false\` the link that would have been mailed.

## Access by OAuth

A service can show an access token in place of an API token, as \`@okta/okta-sdk-nodejs\` does with \`authorizationMode:
'PrivateKey'\`. Register an app with the \`application_type\` \`service\`, the grant \`client_credentials\`, the
\`token_endpoint_auth_method\` \`private_key_jwt\` and its public keys in \`settings.oauthClient.jwks\` (RSA of 2048 bits or more,
or EC; RS256 to ES512); then grant it scopes by \`POST /api/v1/apps/{appId}/grants\` with a \`scopeId\`. It gets its token at
\`POST /oauth2/v1/token\` of the org server, for scopes that it was granted; one that was not refuses the request.

\`\`\`ts
const client = new Client({ orgUrl, authorizationMode: 'PrivateKey', clientId, privateKey, keyId,
  scopes: ['okta.users.manage', 'okta.groups.read'] })
\`\`\`

Each operation asks for the scope named below; who may manage may also read. Without it the answer is 403 \`E0000006\`, with a
token that is not known, or that a person stands behind, 401 \`E0000011\`. A scope that is taken away, or an app that is
deactivated, ends what issued tokens may do at once. An assertion is good once and for an hour at most. A service app can
hand on no scope that its own token lacks, nor change the keys of an app that has one. Not supported: tokens bound by DPoP
(the SDK takes plain ones), \`jwks_uri\`, revoking and introspecting such tokens.

The scopes are ${managementScopes.map((scope) => `\`${scope}\``).join(', ')}.

## Finding people

\`q\` is the beginning of a first name, last name or email. \`filter\` and \`search\` compare with \`eq\`, \`ne\`, \`sw\`, \`co\`, \`gt\`, \`ge\`,
\`lt\`, \`le\` and \`pr\`, joined by \`and\` and \`or\`, in parentheses where wanted; \`filter\` takes \`eq\` alone, but for times. Logins, emails and
names are compared as identifiers are, other attributes as texts, capitals of ASCII like small letters. What a person does not have
matches nothing. Lists come in the order of ids, and a page never holds what an earlier one held, whatever is added between them.

Login, email, first and last name (whole or their beginning), status, id, \`created\` and \`lastUpdated\` are found by an index on both
databases. Any other attribute, \`co\` and \`ne\` are looked for in all people: for 10,000 that takes some tens of milliseconds.

## Limits

Every answer tells how many requests are left: \`X-Rate-Limit-Limit\`, \`X-Rate-Limit-Remaining\`, \`X-Rate-Limit-Reset\` (seconds
since 1970). Beyond \`limits.requests.managementPerAddress\` or \`limits.requests.management\` the answer is 429 \`E0000047\` with
\`Retry-After\`; the SDK waits by itself.

## Recovery by an administrator

\`reset_password\` makes the password useless, ends what is under way, and mails a link; \`forgot_password\` mails one and
leaves the password as it is. The last part of the link's path is a recovery token. It is good for one new password within
an hour, and ends with any other change of the password, the email or the status. An app takes it with
\`idx.recoverPassword({ recoveryToken })\`, which asks for the new password at once. \`management.recoveryPage\` tells the
engine where in an app the links lead; without it they show a page that says how to go on. A person with the status
RECOVERY can still recover by herself.

## What policies say

Obeyed are, by group and by person, the first match in order:

- Of password policies: complexity with \`excludeUsername\`, \`excludeAttributes\` and \`dictionary.common\`, age with
  \`historyCount\`, and \`lockout.maxAttempts\` with \`autoUnlockMinutes\`. Of their rules: \`selfServicePasswordReset\` with its
  \`requirement\`, and \`selfServiceUnlock\`: where that is denied, a recovery opens no locked account. A policy without
  \`lockout\` locks nothing. Wrong passwords are forgotten after \`autoUnlockMinutes\`, after a right one, and by an unlock.
- Of global session policies: \`access\`, \`primaryFactor\`, \`requireFactor\`.
- Of access policies, for the apps they are mapped to: \`access\`, \`factorMode\`, and constraints as far as the password
  (knowledge) and the mailbox (possession) can meet them. What neither can meet lets nobody in.

A locked account, one that is denied and one that does not exist are answered alike until somebody has proven herself.

## The user schema

\`/api/v1/meta/schemas/user/default\` tells which attributes profiles may have, and takes those of your own below
\`definitions.custom.properties\`: a \`type\` (string, boolean, number, integer, array), and if you like \`required\`,
\`minLength\`, \`maxLength\`, \`enum\`, \`pattern\`, \`permissions\`; \`null\` removes one from the schema and from all profiles. Every
write of a profile is held to it, over HTTP, by the command line and by tests: 400 \`E0000001\` with a cause an attribute, also
for an attribute that is not there. What is stored already is not judged anew. With the scope \`profile\` apps see attributes of
your own in userinfo and in the ID token, except those with the permission \`HIDE\` and those called like a claim that means
something. \`master\`, \`unique\` and the like are kept.

## Authenticators

Of the email authenticator \`tokenLifetimeInMinutes\` is how long a code is good, and \`allowedFor\` (any, sso, recovery, none)
what it may be used for; other nodes follow within two seconds. It is not deactivated, nor is a use taken from it, as long as
an active policy needs it: 403 \`E0000148\`. The password is always there.

## Secrets of apps

An app has two secrets at most. Make a second one, give it to the app, deactivate the first, and delete it when nothing broke:
each is good while it is ACTIVE, and its text is answered once. \`email_magic_link_redirect_uri\` in \`settings.oauthClient\` is
where magic links lead.

## The admin page

![The admin page: a person, her status, what can be done for her, and her last events](assets/admin.png)

\`/admin\` of the engine: people with search, status and last events; reset a password (the mail goes out), unlock, suspend, end a
suspension; apps, policies and the log to look at. It asks for an API token, keeps it in the tab (\`sessionStorage\`) and can do
what the token may, no more: \`read\` to look, \`users\` to act. \`/\` leads to the search, arrows move. The page is three static
files that load nothing from elsewhere and whose policy lets no text become markup. In development it is there, and the tab Admin
of the inbox opens it with the token of \`rekey dev\`; in production only with \`management.adminPage: true\`, best behind a
proxy that lets administrators through to \`/admin\` and \`/api/v1\`.

## As OpenAPI

The whole HTTP API, with OAuth, IDX and health, is described in [openapi.yaml](openapi.yaml) (OpenAPI 3.1), made from the
operations below. \`rekey dev\` serves it for its engine at \`/openapi/engine.json\` of the inbox's address. A test holds a running
engine's routes, answers and refusals against it.

## As a file

Groups, policies, apps, trusted origins and people can stand in one file: [configuration-as-code.md](configuration-as-code.md).

## Passwords from elsewhere

\`credentials.password.hash\` takes Okta's shapes, \`BCRYPT\`, \`PBKDF2\`, \`SHA-512\`, \`SHA-256\`, \`SHA-1\` and \`MD5\`; besides, \`value\`
may be one text in PHC string format for \`ARGON2ID\`, \`ARGON2I\`, \`ARGON2D\`, \`SCRYPT\`, \`PBKDF2\` (\`$pbkdf2-sha256$i=…,l=…$salt$hash\`), or
bcrypt's own. At the first right sign-in a hash of argon2id takes its place. What costs more than about a second or 256 MiB
a sign-in is refused: bcrypt beyond a \`workFactor\` of 14, PBKDF2 beyond 2,000,000 rounds.

## What is not obeyed

Bodies are kept as they come. What the engine does not act by is told in the log when it is set: \`a policy asks for what is
not obeyed\`, with the members.

- A rule with a condition that cannot be judged, such as a network, a device or a risk, holds for nobody.
- Policies of the types MFA_ENROLL, PROFILE_ENROLLMENT and IDP_DISCOVERY.
- Methods of recovery other than \`email\`, methods of \`stepUp\`, \`passwordChange\`, \`expireWarnDays\`, notes about a lockout.
- Lifetimes of sessions in global session policies.
- Of the user schema \`unique\`, \`master\`, \`format\`, \`oneOf\`, \`minimum\` and \`maximum\`; of authenticators what is not named above.
- Recovery questions are kept as hashes and asked by nobody.
- The authorization server is read, not changed.
- \`sortBy\` of lists is refused.
`

/** docs/management.md: what it is, and every operation there is. */
export function managementPage(): string {
  const rows = operations.map(
    ({ method, path, role, summary }) =>
      `| \`${method}\` | \`/api/v1${path.replace(/:(\w+)/g, '{$1}')}\` | \`${role}\` | \`${scopeOf({ method, path })}\` | ${summary} |`,
  )
  return `${head}\n## Operations\n\nHow they compare with the public management API is in [operations.md](operations.md).\n\n| method | path | role | scope | effect |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}
