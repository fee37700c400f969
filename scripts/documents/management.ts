import { managementScopes, operations, scopeOf } from '../../src/management/index.ts'

const head = `# The management API

Tools that set up an Okta org can set up this engine: the routes below have the paths, bodies and errors of Okta's management
API. Each request needs an API token, \`Authorization: SSWS …\`, created by \`rekey token add\`; see
[the commands](commands.md). The unmodified \`@okta/okta-sdk-nodejs\` works with it, in the majors 8 and 6:

\`\`\`ts
const client = new Client({ orgUrl: 'http://localhost:9000', token, testing: { disableHttpsCheck: true } })
await client.userApi.createUser({ activate: true, body: { profile, credentials: { password: { value } } } })
\`\`\`

A token has a role. \`read\` can read everything, \`users\` can also change users and group memberships, \`all\` can do
everything. A missing or unknown token is answered with 401 \`E0000011\`, an insufficient role with 403 \`E0000006\`; all codes are in
[errors.md](errors.md). No
response contains a secret, a code or a hash, with four exceptions that are requested explicitly: a new secret of an app, a
temporary password, the secret of an authenticator app when it is enrolled, and with \`sendEmail=false\` the link that would have been mailed.

## Access by OAuth

A service can use an access token instead of an API token, as \`@okta/okta-sdk-nodejs\` does with \`authorizationMode:
'PrivateKey'\`. Register an app with the \`application_type\` \`service\`, the grant \`client_credentials\`, the
\`token_endpoint_auth_method\` \`private_key_jwt\` and its public keys in \`settings.oauthClient.jwks\` (RSA of 2048 bits or more,
or EC; RS256 to ES512). Then grant it scopes by \`POST /api/v1/apps/{appId}/grants\` with a \`scopeId\`. It gets its token at
\`POST /oauth2/v1/token\` of the org server, for scopes that it was granted; a request for any other scope is refused.

\`\`\`ts
const client = new Client({ orgUrl, authorizationMode: 'PrivateKey', clientId, privateKey, keyId,
  scopes: ['okta.users.manage', 'okta.groups.read'] })
\`\`\`

Each operation requires the scope named below; \`manage\` includes \`read\`. A missing scope is answered with 403 \`E0000006\`, an
unknown token or the token of a user with 401 \`E0000011\`. Revoking a scope, or deactivating the app, takes effect at once for
issued tokens. An assertion can be used once and is valid for an hour at most. A service app cannot raise its
rights by way of another app, [in any order of the steps](#what-a-service-app-cannot-do). Not supported: tokens bound by DPoP (the
SDK accepts plain ones), and \`jwks_uri\`.

The scopes are ${managementScopes.map((scope) => `\`${scope}\``).join(', ')}.

## Finding users

\`q\` matches the beginning of a first name, last name or email. \`filter\` and \`search\` compare with \`eq\`, \`ne\`, \`sw\`, \`co\`, \`gt\`,
\`ge\`, \`lt\`, \`le\` and \`pr\`, joined by \`and\` and \`or\`, with parentheses; \`filter\` supports only \`eq\`, except for times. Logins, emails
and names are compared like identifiers, other texts without regard to ASCII case. Attributes of the types number and integer are
compared by value, whether the value is in quotes or not: \`profile.level gt 9\`. A list matches if one of its items does. \`eq null\`
matches what is absent; in any other comparison an attribute that a user does not have matches nothing. A value of the wrong type
is answered 400 \`E0000031\`, with what is expected. Groups are searched in the same way: \`id\`, \`type\`, \`created\`, \`lastUpdated\` and the
members of their profiles, which are numbers where they were stored as numbers. Lists are ordered by id, and a page never repeats an item of an earlier one, whatever is added in between.

What an index answers takes the same time with a million users. Everything else reads users one by one, at most
\`management.scannedUsers\` of them (50,000: about half a second); a search that would read more is answered 400 \`E0000031\`, with
the comparison that has no index. The users that would be read are counted, so the answer is the same on both databases and on
every page.

| attribute | by an index | reads users one by one |
|---|---|---|
| \`id\`, \`profile.login\`, \`profile.email\` | \`eq\`, \`sw\`, \`gt\`, \`ge\`, \`lt\`, \`le\`; \`ne\` and \`pr\`, which nearly all users match | \`co\` |
| \`profile.firstName\`, \`profile.lastName\` | \`eq\`, \`sw\`, \`gt\`, \`ge\`, \`lt\`, \`le\` | \`ne\`, \`co\`, \`pr\` |
| \`status\` | \`eq\`, \`ne\`, \`pr\` | all others |
| \`created\`, \`lastUpdated\` | \`eq\`, \`gt\`, \`ge\`, \`lt\`, \`le\`, \`pr\` | \`ne\` |
| \`statusChanged\` | \`pr\` | all others |
| any other attribute | | all |

\`and\` with a comparison by an index reads the users that it leaves: \`profile.lastName sw "smi" and profile.department eq "x"\`
is answered on any installation with up to 50,000 such names, \`status eq "ACTIVE" and profile.department eq "x"\` where no more than
50,000 users are active. An \`or\` needs an index on each side. \`q\` and \`filter\` always have one. To find users of a large
installation by an attribute of your own, put them in a group.

The profile of a user or a group, a policy, a rule, and what an app is registered with have at most 16,384 characters as JSON each.
A page of a list ends at 4,000,000 characters of what is stored, before its \`limit\` if need be: the next one goes on.
Apps, policies and trusted origins are read as a whole: there are few of them. Keywords and outcomes of the
[log](events.md) are looked for in at most 10,000 events a page; a page may be short or empty, and the next one goes on.

## Limits

Every response contains the remaining requests: \`X-Rate-Limit-Limit\`, \`X-Rate-Limit-Remaining\`, \`X-Rate-Limit-Reset\` (seconds
since 1970). Beyond \`limits.requests.managementPerAddress\` or \`limits.requests.management\` the answer is 429 \`E0000047\` with
\`Retry-After\`; the SDK waits by itself.

## Recovery by an administrator

\`reset_password\` invalidates the password, ends open transactions and sessions (not with \`revokeSessions=false\`) and mails a link;
\`expire_password\` ends sessions with \`revokeSessions=true\`; \`forgot_password\` mails a link and leaves
the password valid. What other changes end: [security.md](security.md#what-an-administrators-change-ends). The last segment of the link's path is a recovery token. It can be used for one new password within an
hour, and becomes invalid with any other change of the password, the email or the status. An app passes it to
\`idx.recoverPassword({ recoveryToken })\`, which asks for the new password at once. \`management.recoveryPage\` is the page of an
app that the links redirect to; without it they open one of the [engine's own pages](sign-in-pages.md#links-of-mails), whose
form leads to the new password. Links of activation mails go to \`management.activationPage\`, or the same page: the app passes the
token to \`idx.register({ activationToken })\` ([what follows](recovery.md#a-new-users-first-password)); \`rekey user activate\` prints one. \`rekey dev\` sends both to the sample app. A user with the status RECOVERY
can also start a recovery without the link.

## Verified emails

\`credentials.emails\` says \`VERIFIED\` once the user has answered a code or link that was mailed to the email: in a recovery, at sign-in, by
the link of an activation or of a reset that an administrator had mailed. Until then, and after each change to another mailbox, it says
\`UNVERIFIED\`, and the claim \`email_verified\` is false. Only the case of ASCII letters and of the domain may differ: an address with a
fullwidth letter or another sign that looks alike names the same user, and is another mailbox. A token that was returned to the caller (\`sendEmail=false\`) proves no mailbox. Okta counts
what an administrator enters as verified; here only a proof does, since apps link accounts and grant access by this claim.

## Policies

Policies are evaluated by group and by user; the first match by priority applies. What of sign-in, enrolment and
session policies is obeyed, and what is only stored: [policies.md](policies.md). Of password policies are obeyed:

- Of the policy: complexity with \`excludeUsername\`, \`excludeAttributes\` and \`dictionary.common\`, age with
  \`historyCount\`, and \`lockout.maxAttempts\` with \`autoUnlockMinutes\`. Of their rules: \`selfServicePasswordReset\` with its
  \`requirement\`, and \`selfServiceUnlock\`: where it is denied, a recovery does not unlock an account. A policy without
  \`lockout\` never locks accounts. The count of wrong passwords is reset after \`autoUnlockMinutes\`, after a correct password, and
  by an unlock.

Locked, denied and unknown accounts get the same responses until the user has proven an authenticator.

## The user schema

\`/api/v1/meta/schemas/user/default\` describes the attributes of profiles. Custom attributes are added below
\`definitions.custom.properties\`: a \`type\` (string, boolean, number, integer, array), and optionally \`required\`,
\`minLength\`, \`maxLength\`, \`enum\`, \`pattern\`, \`format\` (\`email\`), \`permissions\`; \`null\` removes an attribute from the schema and from all
profiles. Groups have no schema: members of their profiles besides \`name\` and \`description\` are stored and returned as they are. Every
write of a profile is validated against it, over HTTP, by the command line and by tests: 400 \`E0000001\` with a cause for each
attribute, unknown ones included. Stored profiles are not validated again. With the scope \`profile\` apps see custom attributes in
userinfo and in the ID token, except those with the permission \`HIDE\` and those with the name of a standard claim. \`master\`,
\`unique\` and the like are stored without effect.

A \`pattern\` has at most 200 characters and is matched in linear time: its syntax is that of RE2, and of JavaScript too. Lookahead,
lookbehind, back references and very large repetitions are refused. It is searched anywhere in the value, by code points, so use \`^\` and
\`$\`; \`\\s\` means ASCII blanks. A value that is too long for a large pattern (characters times steps above a million) is refused.
A pattern that an older version stored and that cannot be matched so is ignored, with a line in the log at each start.

## Authenticators

Email has \`tokenLifetimeInMinutes\`, the lifetime of a code, and \`allowedFor\` (any, sso, recovery, none), what it can be used for;
other nodes apply changes within two seconds. Neither deactivating it nor narrowing \`allowedFor\` is possible while an
active policy needs it: 403 \`E0000148\`. The password is always active.

Google Authenticator (\`google_otp\`, any app that shows codes of RFC 6238) is inactive until \`POST
/api/v1/authenticators/{authenticatorId}/lifecycle/activate\`. A user who has enrolled it can use it as a second factor, and is asked
for it at apps that require two factors, and in every recovery. Its secret is sealed in the database by the secrets of the engine.

A security question (\`security_question\`) is inactive until then, too. A user has one: out of Okta's list of nineteen, or worded by
the user (\`questionKey: custom\`). It is the same one that \`credentials.recovery_question\` of a user and \`change_recovery_question\` set,
and that an import brings. Answers have at least four characters, are no part of the question nor of the username, and are stored like
passwords. They are compared without regard to case (of every language), composition, width, and outer or repeated white space.
A question is knowledge, as the password is: it is no second factor beside one, and it is never asked before something was proven.

Recovery codes (\`recovery_codes\`) are ten codes that a user saves, the way back when the phone is lost; inactive until activated. They are
shown once, at the enrolment: in \`contextualData.recoveryCodes\`, and in the label of the field, which every client shows. One of
them confirms it. Each is good once, as a second factor at a sign-in or in a recovery, twenty guesses a day; with the last one the set ends. After a use
the same sign-in, or the next one, asks for a new set, which may be skipped where the policy has the codes OPTIONAL; until then the other codes stay good.
Every set comes with the notice of a changed factor.

Okta Verify (\`okta_verify\`) has its enrolment page alone, as nothing here can finish it: inactive, and refused as REQUIRED.

Passkeys and security keys (\`webauthn\`) are inactive at first, too; their settings are in [passkeys.md](passkeys.md#settings).

### An authenticator app for every user

Three things: the authenticator is active, a policy of the type MFA_ENROLL names it, and the policy has a rule. As a file,
\`totp.yaml\`, for \`rekey apply totp.yaml\` ([configuration as code](configuration-as-code.md)):

\`\`\`yaml
resources:
  authenticators:
    - { key: google_otp, status: ACTIVE }
  policies:
    - type: MFA_ENROLL
      name: Authenticator apps
      settings:
        type: AUTHENTICATORS
        authenticators:
          - { key: okta_password, enroll: { self: REQUIRED } }
          - { key: okta_email, enroll: { self: OPTIONAL } }
          - { key: google_otp, enroll: { self: REQUIRED } }
      rules:
        - { name: At sign-in, actions: { enroll: { self: LOGIN } } }
\`\`\`

Over HTTP the same three requests, with the bodies as in the file:

| request | body |
|---|---|
| \`POST /api/v1/authenticators/{authenticatorId}/lifecycle/activate\` | none; the id is that of the \`google_otp\` in \`GET /api/v1/authenticators\` |
| \`POST /api/v1/policies\` | \`{"type":"MFA_ENROLL","name":"Authenticator apps","settings":{"type":"AUTHENTICATORS","authenticators":[{"key":"okta_password","enroll":{"self":"REQUIRED"}},{"key":"okta_email","enroll":{"self":"OPTIONAL"}},{"key":"google_otp","enroll":{"self":"REQUIRED"}}]}}\` |
| \`POST /api/v1/policies/{policyId}/rules\` | \`{"type":"MFA_ENROLL","name":"At sign-in","actions":{"enroll":{"self":"LOGIN"}}}\` |

What a policy does not name is no factor for its users: without the line for \`okta_email\` a mailed code would not be one.

REQUIRED requires only the enrolment. To have the code asked for at every sign-in, the access policy must demand two factors
(\`factorMode: 2FA\`; for the default policy \`signOn.factors: 2FA\` in the configuration file, or a file for \`rekey apply\`); any
second factor then counts, mail included:

\`\`\`yaml
resources:
  policies:
    - type: ACCESS_POLICY
      system: true
      name: Any app
      rules:
        - system: true
          name: Default Rule
          actions:
            appSignOn:
              access: ALLOW
              verificationMethod: { type: ASSURANCE, factorMode: 2FA }
\`\`\`

How a test enrols and generates codes: [testing.md](testing.md#a-second-factor-in-a-test).

### Methods

\`/authenticators/{authenticatorId}/methods\` lists the methods of an authenticator. \`POST .../methods/{methodType}/lifecycle/deactivate\`
switches one off for all users, such as calls of a phone; the last one that is active, and one that a policy names alone, stay (400,
403 \`E0000148\`). What is switched off is in \`settings.inactiveMethods\` of the authenticator, too, so that a file for
\`rekey apply\` can have it. The authenticators themselves are there from the start: \`POST /authenticators\` is answered 400.

## Factors of users

A factor that is made here is the enrollment that a sign-in asks for. It can be enrolled where its authenticator is active and an
enrolment policy of the user names it; otherwise 403 \`E0000006\` with the reason in \`errorCauses\`.

| factorType, provider | authenticator | enrolled |
|---|---|---|
| \`token:software:totp\`, GOOGLE | \`google_otp\` | pending, with the secret in \`_embedded.activation\`: shown once, in this answer; a code of up to four steps ago confirms it |
| \`email\`, OKTA | \`okta_email\` | pending, a code is mailed to the primary email; confirmed, the email is verified. It is a factor for as long as it is the primary email |
| \`password\`, OKTA | \`okta_password\` | not here: by \`credentials.password\` of the user; it is only listed |

\`\`\`ts
const { userFactorApi } = client
const totp = await userFactorApi.enrollFactor({ userId, body: { factorType: 'token:software:totp', provider: 'GOOGLE' } })
const { sharedSecret } = totp._embedded.activation
await userFactorApi.activateFactor({ userId, factorId: totp.id, body: { passCode: codeOf(sharedSecret) } })
\`\`\`

- \`activate=true\` makes it active at once, on the word of the caller; nothing is sent. What is pending ends after a day, is no enrollment
  anywhere, is not exported, and is replaced when the same is enrolled again.
- \`POST .../verify\` with an empty body sends a code, where one is sent; with \`passCode\` or \`answer\` it checks it:
  \`{"factorResult":"SUCCESS"}\`, 403 \`E0000068\`, or \`TIMEOUT\` where nothing is open. It begins no session. A code of an app is good
  once, here and at a sign-in.
- Wrong answers are counted by user, authenticator and caller, with the limits \`limits.codesPerDay\` and \`limits.codesUntilSuccess\`:
  then 403 \`E0000069\`, until the day is over or \`lifecycle/unlock\`. They take nothing from what the user has at a sign-in. One factor
  is activated five times in five minutes at most (429 \`E0000047\`); a text or call is sent every 30 seconds (429 \`E0000109\`), a mail
  every 5 (\`E0000118\`).
- Each change raises the version of the user, so that no sign-in under way goes on with what was; it is mailed to the user, and recorded as
  \`user.mfa.factor.activate\`, \`.deactivate\` or \`.reset_all\`. The sessions stay, as with Okta: end them besides where a thief
  may have one.
- \`removeRecoveryEnrollment\` is without effect: a phone that is removed is removed for recoveries as well.
- \`/users/{userId}/authenticator-enrollments\` has the same by authenticator, whatever the policies name now; numbers of phones are masked
  there, unless \`discloseIdentifiers=phone\`.

On the command line: \`rekey user factors list\`, \`remove\` and \`reset\`.

## Apps

An app is returned as it was registered: each member of \`settings\`, \`credentials.oauthClient\`, \`profile\`, \`visibility\`,
\`accessibility\` and \`features\` as it was sent, lists in their order. \`PUT\` replaces: what it omits has Okta's default again. All of
it also goes through \`rekey apply\` and \`pull\`, and through export and import. Since the role \`read\` gets it back, a member that is a
secret by its name (\`client_secret\`, \`password\`, \`privateKey\` …) is refused outside \`credentials.oauthClient.client_secret\`, which is
stored as a hash. What the engine acts by:

| member | effect |
|---|---|
| \`redirect_uris\`, \`post_logout_redirect_uris\`, \`email_magic_link_redirect_uri\` | compared as exact strings; the target of magic links |
| \`grant_types\` | \`interaction_code\` and \`refresh_token\` are served, and \`client_credentials\` for service apps. An app with \`implicit\`, \`authorization_code\` or another one gets nothing by it |
| \`application_type\` | who has a secret (\`web\`), a key (\`service\`) or neither |
| \`token_endpoint_auth_method\` | a \`web\` app may use \`client_secret_basic\` and \`client_secret_post\`, whichever is set: both prove the same secret. Another method than those of its type is refused |
| \`refresh_token.leeway\` | for how many seconds a spent refresh token may be sent again |
| \`pkce_required\` | PKCE is required of every app that users sign in to, also with \`false\` |
| \`jwks\` | the keys of a service app, in base64url without leading zeros, as libraries write them |

The rest has no effect, and the log names it: \`an app has settings that are not supported\`. So it is with \`consent_method:
REQUIRED\` (no consent is asked for) and \`refresh_token.rotation_type: STATIC\` (refresh tokens are rotated all the same). Settings
that promise a protection which there is not are refused instead, since their owner would rely on them:
\`dpop_bound_access_tokens: true\` of a service app, a \`network\` with the connection \`ZONE\`, \`subject_type: pairwise\`, encrypted ID tokens and
userinfo, and keys with the status INACTIVE.

\`POST /api/v1/internal/apps/{appId}/settings/oidc\` takes the members of \`settings.oauthClient\` and \`label\` in one object, as the
console of Okta sends them; what it does not have stays, and null removes a member.

An app has at most two secrets. To rotate: create a second one, configure the app with it, deactivate the first, and delete it
when nothing broke. A secret is valid while it is ACTIVE, and is returned only when it is created; a \`PUT\` may contain it.

Apps that users sign in to can be granted the scopes \`okta.myAccount.*\` (\`profile\`, \`email\`, \`phone\`, \`password\`,
\`authenticators\`, \`webauthn\`, \`sessions\` and others, each with \`.read\` and \`.manage\`) by \`POST /api/v1/apps/{appId}/grants\` with
a \`scopeId\` and the engine's address as the \`issuer\`. Scopes of this API are granted to service apps only.

\`PUT /api/v1/apps/{appId}/policies/{policyId}\` maps an access policy, which applies at once, or a profile enrollment policy,
which is stored and shown by both and has no effect yet. Policies of other types apply by group and are refused.

### What a service app cannot do

With a service app's token, a scope that the token lacks is out of reach in any order of the steps:

- It cannot grant the scope, neither to another app nor to its own.
- It cannot change an app that has the scope (\`PUT\`, secrets), nor activate one that was deactivated: 403 \`E0000006\`.
- Keys, addresses and secrets that it has set before are remembered with the scopes that its token had. Granting a scope that they
  lack is refused with 400, also to an administrator, and the cause names them. Remove them, and add what is right with an API
  token; then grant. Writing the app back unchanged does not help: a tool that edits a label would vouch for a key that it never
  saw. What was set with a version that did not remember counts as an administrator's: compare the keys of older service apps once.

A scope of \`okta.myAccount\` counts like \`okta.users.read\` or \`okta.users.manage\` here. API tokens of the role \`all\`, the command
line and configuration files are not limited. As in Okta, \`okta.apps.manage\` includes who is assigned to an app and which access
policy applies to it, also one that demands less than the present one; grant it as you would grant the right to sign in as a user
of the apps.

## The brand

There is one brand, \`bndDefault\`, with one theme, \`theDefault\`: the look of the [sign-in pages](sign-in-pages.md#brand). \`name\` is the name on them,
\`customPrivacyPolicyUrl\` an https or mailto address (a change needs \`agreeToCustomPrivacyPolicy: true\`, as in Okta), \`primaryColorHex\` the
colour of buttons and links, and \`POST …/logo\` takes a PNG, as \`multipart/form-data\` in the field \`file\` or as it is. What is checked is what the
configuration's \`brand\` is checked for. All else of a brand and a theme has one value, and a change of it is logged as without effect. Every node shows a change with the
next page. What the configuration names is written again only where the configuration has changed.

\`\`\`ts
const brandId = 'bndDefault', themeId = 'theDefault'
await client.customizationApi.replaceBrandTheme({ brandId, themeId, theme: { ...theme, primaryColorHex: '#0b7a4b' } })
await client.customizationApi.uploadBrandThemeLogo({ brandId, themeId, file: { data: await readFile('logo.png'), name: 'logo.png' } })
\`\`\`

## The admin page

![The admin page: a user with status, actions and recent events](assets/admin.webp)

\`/admin\` of the engine. Users: find them by name, email or status; create one, edit the profile, choose the groups; reset the
password (ends the sessions and sends the mail), unlock, suspend, activate, deactivate, delete; see the factors and remove one or all; see the sessions and end one or
all. Groups: create, change, delete, and their members. Apps, policies (in words, and as JSON) and the log, read-only. It asks
for an API token, stores it in the tab (\`sessionStorage\`) and has the permissions of the token: \`read\` to view, \`users\` to
manage users, \`all\` for groups. \`/\` focuses the search, arrow keys move. The page consists of static files that load nothing
from other origins; its Content Security Policy does not let text become markup. In development it is enabled, the tab Admin of the inbox opens
it with the token of \`rekey dev\`, and tabs lead back; in production it needs \`management.host\`, a
name of its own such as \`admin.example.com\` that leads to the engine as well, which your proxy lets administrators alone reach: \`/admin\` and \`/ui\` answer 404
under every other name, and the token that the page stores is of another origin than the sign-in pages. \`management.adminPage: true\` serves it under every name.
\`/api/v1\` stays at the address of the issuer, for tools.

## OpenAPI

The whole HTTP API, including OAuth, IDX and health, is described in [openapi.yaml](openapi.yaml) (OpenAPI 3.1), generated from
the operations below. \`rekey dev\` serves it for its engine at \`/openapi/engine.json\` of the inbox's address, and as a page for readers at \`/docs\`. A test compares the
routes, responses and errors of a running engine with it.

## Configuration as code

Groups, policies, apps, trusted origins and users can be described in one file:
[configuration-as-code.md](configuration-as-code.md).

## Imported password hashes

\`credentials.password.hash\` accepts Okta's shapes, \`BCRYPT\`, \`PBKDF2\`, \`SHA-512\`, \`SHA-256\`, \`SHA-1\` and \`MD5\`; besides, \`value\`
can be a string in PHC format for \`ARGON2ID\`, \`ARGON2I\`, \`ARGON2D\`, \`SCRYPT\`, \`PBKDF2\` (\`$pbkdf2-sha256$i=…,l=…$salt$hash\`), or
bcrypt's own. The first successful sign-in replaces the hash by one of argon2id. Hashes that cost more than about a second or
256 MiB a sign-in are refused: bcrypt with a \`workFactor\` above 14, PBKDF2 with more than 2,000,000 rounds.

## What is not supported

Bodies are stored as they are. Settings without effect are logged when they are set: \`a policy has settings that are not
supported\`, with their names.

- A rule with a condition that the engine does not evaluate, such as a network, a device or a risk, never matches.
- Policies of the types PROFILE_ENROLLMENT and IDP_DISCOVERY; of enrollment policies \`settings.factors\`, grace periods, and the
  \`actions\` of rules.
- Methods of recovery other than \`email\`, methods of \`stepUp\`, \`passwordChange\`, \`expireWarnDays\`, notifications about a lockout.
- Lifetimes of sessions in global session policies.
- Of the user schema \`unique\`, \`master\`, \`format\`, \`oneOf\`, \`minimum\` and \`maximum\`; settings of authenticators that are not named above.
- Of apps what the log names; \`credentials\` of assignments.
- Changes of the authorization server.
- \`sortBy\` of lists is refused, and so is each of \`q\`, \`filter\`, \`search\` and \`sortOrder\` that the table does not name for a list.
`

/** docs/management.md: the manual and a table of all operations. */
export function managementPage(): string {
  const rows = operations.map(
    ({ method, path, role, summary }) =>
      `| \`${method}\` | \`/api/v1${path.replace(/:(\w+)/g, '{$1}')}\` | \`${role}\` | \`${scopeOf({ method, path })}\` | ${summary} |`,
  )
  return `${head}\n## Operations\n\n[operations.md](operations.md) compares them with the public management API.\n\n| method | path | role | scope | effect |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}
