import { steps } from '../../src/idx/index.ts'
import { authorizationServer, discoveryOf } from '../../src/oidc/server.ts'
import { answerOf, type SdkStyle, sdkCalls, sdkStyles } from '../../test/support/sdk-calls.ts'
import { type CapturedState, capturedStates } from '../../test/wire/captured-states.ts'
import { generatedFrom, table } from './table.ts'

const engine = 'https://id.example.com'

const idxEndpoints = (): readonly (readonly string[])[] => {
  const paths = [...new Set(steps.map(({ path }) => path))]
  const named = (path: string) =>
    steps.flatMap((step) => (step.path === path ? [`\`${step.name}\``] : [])).join(', ')
  return [
    ['`POST /idp/idx/introspect`', 'the state of a transaction, by interaction handle or state handle'],
    ...paths.map((path) => [`\`POST /idp/idx/${path}\``, named(path)]),
    ['`GET /email/verify/{clientId}?token=…`', 'the magic link of a mail'],
  ]
}

/** The discovery endpoint and the endpoints in it, of both authorization servers. */
function oauthEndpoints(): readonly (readonly string[])[] {
  const [custom, org] = (['default', 'org'] as const).map((id) => authorizationServer(id, engine))
  if (custom === undefined || org === undefined) throw new Error('there are two authorization servers')
  const pathOf = (url: unknown) => `\`${String(url).slice(engine.length)}\``
  const of = (server: typeof custom) =>
    new Map(
      Object.entries(discoveryOf(server)).filter(
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

/** The result of several styles: given once if it is the same, else with its versions. */
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

export const supportedPage =
  (): string => `${generatedFrom('the step table, discovery, and the tables of the tests')}

# What is supported

Rekey implements the part of Okta's Identity Engine that sign-in and password recovery need. This page lists it, from the
tables that the tests use. Everything that is not in these tables is not supported.

## IDX endpoints

${table(['endpoint', 'steps'], idxEndpoints())}

The steps are described in [flow.md](flow.md), the messages in [messages.md](messages.md).

## OAuth and OpenID Connect endpoints

${table(['', 'server `default`', 'org server'], oauthEndpoints())}

Grants: \`interaction_code\` and \`refresh_token\`; of the org server also \`client_credentials\`, for service apps and the
[management API](management.md), whose operations are listed in [operations.md](operations.md). PKCE with S256 is required. Tokens are signed with RS256. There is no
\`authorize\` endpoint and no hosted sign-in page yet: apps sign users in with the SDK.

## Calls of okta-auth-js

The result of each call with the default settings of the engine; in version 8 with and without \`idx.enableLegacyMode\`. A
call that throws in step mode because of a missing step is available in legacy mode only. The SDK sends no client secret
when it refreshes tokens: a web app with a secret refreshes them with an OAuth library.

${calls()}

## States of the protocol

The responses are those of the public collection that is used to test Okta's sign-in widget. A state is covered if the
test suite compares the response of the engine with that of the collection, field by field, with every difference explained.

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
- hosted sign-in pages and the \`authorize\` endpoint
- cookie sessions: the engine sets no cookies
`
