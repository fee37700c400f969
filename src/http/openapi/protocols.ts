import { Type } from 'typebox'

// OAuth, IDX, health and metrics. Their bodies are defined by specifications, so they are described briefly.

const anything = Type.Record(Type.String(), Type.Unknown())
const texts = (...names: readonly string[]) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, Type.Optional(Type.String())])))

interface Endpoint {
  readonly methods: readonly ('get' | 'post')[]
  readonly summary: string
  readonly form?: object
  readonly ion?: object
  readonly type?: string
}

const oauth: Readonly<Record<string, Endpoint>> = {
  '/v1/interact': {
    methods: ['post'],
    summary: 'Begin an interaction and get its handle',
    form: texts(
      'client_id',
      'client_secret',
      'scope',
      'redirect_uri',
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
      'recovery_token',
      'max_age',
      'acr_values',
      'enroll_amr_values',
    ),
  },
  '/v1/token': {
    methods: ['post'],
    summary: 'Exchange an interaction code, a refresh token or a client assertion for tokens',
    form: texts(
      'grant_type',
      'client_id',
      'client_secret',
      'interaction_code',
      'code_verifier',
      'refresh_token',
      'scope',
      'client_assertion',
      'client_assertion_type',
    ),
  },
  '/v1/par': {
    methods: ['post'],
    summary: 'Push a request to authorize, and get the name by which a browser brings it (RFC 9126)',
    form: texts(
      'client_id',
      'client_secret',
      'response_type',
      'redirect_uri',
      'scope',
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
      'response_mode',
      'prompt',
      'max_age',
      'acr_values',
      'login_hint',
    ),
  },
  '/v1/introspect': {
    methods: ['post'],
    summary: 'Introspect a token (RFC 7662)',
    form: texts('token', 'token_type_hint', 'client_id', 'client_secret'),
  },
  '/v1/revoke': {
    methods: ['post'],
    summary: 'Revoke a token (RFC 7009)',
    form: texts('token', 'token_type_hint', 'client_id', 'client_secret'),
  },
  '/v1/keys': { methods: ['get'], summary: 'Get the public signing keys (RFC 7517)' },
  '/v1/userinfo': { methods: ['get', 'post'], summary: 'Get the claims of the user of an access token' },
  '/v1/logout': {
    methods: ['get', 'post'],
    summary: 'End a session and redirect to the app',
    type: 'text/html',
  },
}

const discovery = ['openid-configuration', 'oauth-authorization-server']

const handle = Type.Object({ stateHandle: Type.Optional(Type.String()) })

/** The paths of OAuth, IDX, health and metrics. `steps` are the paths below /idp/idx. */
export function protocolPaths(
  steps: readonly string[],
): Readonly<Record<string, Readonly<Record<string, object>>>> {
  const all: Record<string, Endpoint> = {}
  for (const [issuer, path] of [
    ['/oauth2/default', '/oauth2/default'],
    ['', '/oauth2'],
  ] as const) {
    for (const name of discovery) {
      all[`${issuer}/.well-known/${name}`] = {
        methods: ['get'],
        summary: 'Get the metadata of the authorization server',
      }
    }
    for (const [name, endpoint] of Object.entries(oauth)) all[path + name] = endpoint
  }
  all['/.well-known/okta-organization'] = {
    methods: ['get'],
    summary: 'Get the metadata of the organization',
  }
  all['/.well-known/webauthn'] = {
    methods: ['get'],
    summary: 'Get the origins that may use passkeys of this domain besides its own',
  }
  for (const step of ['introspect', ...steps]) {
    const summary =
      step === 'introspect' ? 'Get the current state of a transaction' : `Submit the step ${step}`
    all[`/idp/idx/${step}`] = {
      methods: ['post'],
      summary,
      ion: handle,
      type: 'application/ion+json; okta-version=1.0.0',
    }
  }
  all['/email/verify/{clientId}'] = {
    methods: ['get'],
    summary: 'Show the page of a magic link',
    type: 'text/html',
  }
  all['/account/stop/{token}'] = {
    methods: ['get', 'post'],
    summary: 'Show the page that stops a change of an account, and stop it',
    type: 'text/html',
  }
  all['/health/live'] = { methods: ['get'], summary: 'Check that the process is running' }
  all['/health/ready'] = { methods: ['get'], summary: 'Check that the node can serve requests; 503 if not' }
  all['/metrics'] = {
    methods: ['get'],
    summary: 'Get metrics in the format of Prometheus',
    type: 'text/plain',
  }
  return Object.fromEntries(
    Object.entries(all).map(([path, endpoint]) => [
      path,
      Object.fromEntries(endpoint.methods.map((method) => [method, operationOf(path, method, endpoint)])),
    ]),
  )
}

function operationOf(
  path: string,
  method: string,
  { summary, form, ion, type = 'application/json' }: Endpoint,
): object {
  const body = form
    ? { 'application/x-www-form-urlencoded': { schema: form } }
    : ion && {
        'application/ion+json; okta-version=1.0.0': { schema: ion },
        'application/json': { schema: ion },
      }
  return {
    summary,
    tags: [path.startsWith('/idp') ? 'idx' : /oauth2|well-known/.test(path) ? 'oauth' : 'operation'],
    parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: Type.String(),
    })),
    ...(body && method === 'post' && { requestBody: { content: body } }),
    responses: {
      200: {
        description: 'Success.',
        content: { [type]: { schema: type.includes('json') ? anything : Type.String() } },
      },
      default: {
        description: 'The request was refused; the shape is that of the protocol.',
        content: { [type]: { schema: {} } },
      },
    },
  }
}
