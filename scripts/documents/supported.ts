import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { steps } from '../../src/idx/index.ts'
import { authorizationServer, discoveryOf } from '../../src/oidc/server.ts'
import { redirectClients, sessionCalls } from '../../test/journeys/redirect-clients.ts'
import { answerOf, type SdkStyle, sdkCalls, sdkStyles } from '../../test/journeys/sdk-calls.ts'
import { widgetFlows } from '../../test/journeys/widget-flows.ts'
import { type CapturedState, capturedStates } from '../../test/wire/captured-states.ts'
import { generatedFrom, table } from './table.ts'

const engine = 'https://id.example.com'

const idxEndpoints = (): readonly (readonly string[])[] => {
  const paths = [...new Set(steps.map(({ path }) => path))]
  const named = (path: string) =>
    steps.flatMap((step) => (step.path === path ? [`\`${step.name}\``] : [])).join(', ')
  return [
    [
      '`POST /idp/idx/introspect`',
      'the present state of a transaction, by interaction handle or state handle',
    ],
    ...paths.map((path) => [`\`POST /idp/idx/${path}\``, named(path)]),
    ['`GET /email/verify/{clientId}?token=…`', 'the magic link of a mail'],
  ]
}

/** What discovery names, and discovery itself, of both authorization servers. */
function oauthEndpoints(): readonly (readonly string[])[] {
  const [custom, org] = (['default', 'org'] as const).map((id) => authorizationServer(id, engine))
  if (custom === undefined || org === undefined) throw new Error('there are two authorization servers')
  const pathOf = (url: unknown) => `\`${String(url).slice(engine.length)}\``
  const of = (server: typeof custom) =>
    new Map(
      Object.entries(discoveryOf(server, { implicit: false })).filter(
        ([name]) => name.endsWith('_endpoint') || name === 'jwks_uri',
      ),
    )
  return [
    ['discovery', ...[custom, org].map(({ issuer }) => pathOf(`${issuer}/.well-known/openid-configuration`))],
    ...[...of(custom)].map(([name, url]) => [`\`${name}\``, pathOf(url), pathOf(of(org).get(name))]),
  ]
}

const statusOf = ({ covered, because = '' }: CapturedState): string => {
  if (covered === 'response') return 'yes'
  if (covered === 'page') return 'yes, as a page of the engine'
  return because.startsWith('nothing')
    ? `no: ${because.replace(/^nothing( planned)?: /, '')}`
    : `not yet: ${because}`
}

const all = Object.values(capturedStates).flat()
const missing = [
  ...new Set(all.flatMap(({ because = 'nothing' }) => (because.startsWith('nothing') ? [] : [because]))),
]

const legacy = sdkStyles.filter((style) => !style.includes('step mode'))

/** The answer of several styles: once where it is the same, else with the versions that give it. */
function answersOf(call: (typeof sdkCalls)[number], styles: readonly SdkStyle[]): string {
  const answers = Map.groupBy(styles, (style) => answerOf(call, style))
  const shown = (answer: string) =>
    answer.startsWith('throws ') ? `throws "${answer.slice('throws '.length).replaceAll('`', '')}"` : answer
  if (answers.size === 1) return shown([...answers.keys()][0] ?? '')
  return [...answers].map(([answer, of]) => `${of.toSorted().join(', ')}: ${shown(answer)}`).join('; ')
}

const calls = (): string =>
  table(
    ['call', 'versions 6, 7 and 8 in legacy mode', 'version 8 in step mode'],
    sdkCalls.map((call) => [`\`${call.call}\``, answersOf(call, legacy), answersOf(call, ['8, step mode'])]),
  )

const clientsPackage = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/clients/package.json'), 'utf8'),
) as { readonly dependencies: Readonly<Record<string, string>> }

const clientsThatRedirect = (): string =>
  table(
    ['client', 'version', 'signs in', 'refreshes', 'signs out', 'without a page', 'result'],
    redirectClients.map(({ name, insteadOf, from, version, signIn, refresh, signOut, silent, runs }) => [
      `\`${insteadOf ?? name}\``,
      // An older major is installed as `npm:NAME@VERSION`.
      from === 'npm'
        ? (clientsPackage.dependencies[name] ?? '').replace(/^npm:.*@/, '')
        : `${version}, Debian 12`,
      signIn,
      refresh,
      signOut,
      silent === undefined ? '' : `same site: ${silent.sameSite}; another site: ${silent.otherSite}`,
      `works${runs === 'world' ? ' (`npm run test:world`)' : ''}`,
    ]),
  )

/** The same in both generations, unless the row says else. */
const flowsOfTheWidget = (): string =>
  table(
    ['flow', 'embedded', 'hosted'],
    widgetFlows.map(({ flow, embedded, hosted }) => [
      flow,
      ...[embedded, hosted].map((one) => (one === true ? 'Gen2, Gen3' : one)),
    ]),
  )

const callsOfTheSession = (): string =>
  table(
    ['call', 'app on the same site', 'app on another site'],
    sessionCalls.map(({ call, sameSite, otherSite }) => [`\`${call}\``, sameSite, otherSite]),
  )

export const supportedPage =
  (): string => `${generatedFrom('the step table, discovery, and the tables of the tests')}

# What is supported

Rekey speaks the part of Okta's Identity Engine that sign-in and password recovery need. This page lists it, from the
tables that the tests run on. What is in none of these tables is not supported.

## IDX endpoints

${table(['endpoint', 'steps'], idxEndpoints())}

The steps are drawn in [flow.md](flow.md), the messages listed in [messages.md](messages.md).

## OAuth and OpenID Connect endpoints

${table(['', 'server `default`', 'org server'], oauthEndpoints())}

Grants: \`authorization_code\`, \`interaction_code\` and \`refresh_token\`; of the org server also \`client_credentials\`, for service apps and the
[management API](management.md), whose operations are listed in [operations.md](operations.md). PKCE with S256 is
required at \`interact\`, and at \`authorize\` of apps without a secret. Tokens are signed with RS256. Apps that redirect use \`authorize\`: [redirect.md](redirect.md). Their
users are shown the [engine's own pages](sign-in-pages.md).

\`GET /.well-known/okta-organization\` says that the organization speaks IDX.

\`interact\` takes \`login_hint\` (the identifier field of the first page begins with it, for every name alike), \`recovery_token\` and
\`activation_token\` (a new user enrols what the policy requires, the password with it, is ACTIVE and signed in; an expired link offers another mail). Scopes \`okta.myAccount.*\` are issued
to the users of an app that they are granted to. A client's secret in the header \`Authorization: Basic\` may be form-encoded, as RFC 6749,
section 2.3.1 has it, or as it is. Service apps authenticate with \`private_key_jwt\` at the token endpoint of the org server, and at
introspect, revoke and \`par\` of both. A client authenticates in one way: a request with two is refused.

## Clients that redirect

Published clients, unmodified, which lead to the engine's own pages. Each is driven in Chromium, in an app of a few lines around it
(\`test/clients\`): its user signs in with a password; the tokens are refreshed; the app forgets the user, and has the same one again
without a page being shown; the user signs out, and neither the app nor the engine knows the user any more. How to set such an app up:
[redirect.md](redirect.md).

${clientsThatRedirect()}

Calls of okta-auth-js that need the session of the browser, after a sign-in. To another site browsers send no cookie of the engine's:
an app there refreshes by refresh token.

${callsOfTheSession()}

## The Sign-In Widget

\`@okta/okta-signin-widget\` ${clientsPackage.dependencies['@okta/okta-signin-widget'] ?? ''}, unmodified, in Chromium: embedded in an app's own page ([sign-in-widget.md](sign-in-widget.md)), and hosted, as the page
that an app redirects to (\`pages: widget\`, [sign-in-pages.md](sign-in-pages.md#the-widget-as-the-page)). Gen2 is \`okta-sign-in.min.js\`, Gen3 \`okta-sign-in.next.js\`. Most walks run with
\`npm run test:world\`.

${flowsOfTheWidget()}

## Calls of okta-auth-js

What each call is answered with by an engine with its default settings, with \`idx.enableLegacyMode\` in version 8 and
without. A call that throws in step mode for want of a step is one that the SDK has in legacy mode only. The SDK
sends no client secret when it refreshes: a web app with a secret refreshes with an OAuth library.

${calls()}

## States of the protocol

The responses are those of the public collection that Okta's sign-in widget is tested with. A state is covered when the
test suite compares the engine's answer with the collection's, field by field, every difference explained.

${Object.entries(capturedStates)
  .map(
    ([group, states]) =>
      `### ${group}\n\n${table(
        ['state', 'response', 'covered'],
        states.map((state) => [state.state, `\`${state.file}\``, statusOf(state)]),
      )}`,
  )
  .join('\n\n')}

## What is not supported

${missing.map((feature) => `- ${feature}`).join('\n')}
- PAR, DPoP, back-channel logout, the implicit flow
- on the engine's own pages: captchas, an org's colours and logo, addresses to begin at without an app
`
