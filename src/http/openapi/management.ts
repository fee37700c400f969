import { Type } from 'typebox'
import { operations, scopeOf } from '../../management/index.ts'
import { ref, type schemas } from './schemas.ts'

type Name = keyof typeof schemas

/** What an operation takes and answers beside its path. */
interface Shape {
  readonly body?: Name
  /** One of these, or with `[]` a list of them. */
  readonly answer?: Name | `${Name}[]`
  readonly status?: number
  /** Parameters of its query. */
  readonly query?: readonly (keyof typeof queries)[]
}

const queries = {
  limit: Type.Integer({ minimum: 1, description: 'How many on a page.' }),
  after: Type.String({ description: 'From the Link header with rel="next".' }),
  q: Type.String({ description: 'The beginning of a name, or words of an event.' }),
  filter: Type.String({ description: 'Such as status eq "ACTIVE".' }),
  search: Type.String({ description: 'Such as profile.lastName sw "Lo".' }),
  type: Type.String({ description: 'The type of the policies.' }),
  activate: Type.Boolean({ default: true }),
  sendEmail: Type.Boolean({ default: true, description: 'false: answer what would have been mailed.' }),
  nextLogin: Type.Literal('changePassword'),
  since: Type.String({ description: 'ISO 8601 with a zone.' }),
  until: Type.String({ description: 'ISO 8601 with a zone.' }),
  sortOrder: Type.Union([Type.Literal('ASCENDING'), Type.Literal('DESCENDING')]),
} as const

const page = ['limit', 'after'] as const
const mailed: Shape = { answer: 'Token', query: ['sendEmail'] }

/** By method and path; what is not here answers an object, or nothing where it removes. */
const shapes: Readonly<Record<string, Shape>> = {
  'GET /users': { answer: 'User[]', query: [...page, 'q', 'filter', 'search'] },
  'POST /users': { body: 'NewUser', answer: 'User', query: ['activate', 'nextLogin'] },
  'GET /users/:userId': { answer: 'User' },
  'POST /users/:userId': { body: 'UserChanges', answer: 'User' },
  'PUT /users/:userId': { body: 'NewUser', answer: 'User' },
  'GET /users/:userId/groups': { answer: 'Group[]' },
  'POST /users/:userId/lifecycle/activate': mailed,
  'POST /users/:userId/lifecycle/reactivate': mailed,
  'POST /users/:userId/lifecycle/reset_password': mailed,
  'POST /users/:userId/lifecycle/expire_password': { answer: 'User' },
  'POST /users/:userId/lifecycle/expire_password_with_temp_password': { answer: 'Token' },
  'POST /users/:userId/credentials/forgot_password': mailed,
  'POST /users/:userId/credentials/change_password': { body: 'PasswordChange', answer: 'Credentials' },
  'POST /users/:userId/credentials/change_recovery_question': {
    body: 'QuestionChange',
    answer: 'Credentials',
  },
  'GET /users/:userId/appLinks': { answer: 'AppLink[]' },
  'GET /groups': { answer: 'Group[]', query: [...page, 'q', 'filter', 'search'] },
  'POST /groups': { body: 'NewGroup', answer: 'Group' },
  'GET /groups/:groupId': { answer: 'Group' },
  'PUT /groups/:groupId': { body: 'NewGroup', answer: 'Group' },
  'GET /groups/:groupId/users': { answer: 'User[]', query: page },
  'PUT /groups/:groupId/users/:userId': { status: 204 },
  'GET /apps': { answer: 'App[]', query: [...page, 'q'] },
  'POST /apps': { body: 'NewApp', answer: 'App' },
  'GET /apps/:appId': { answer: 'App' },
  'PUT /apps/:appId': { body: 'NewApp', answer: 'App' },
  'PUT /apps/:appId/policies/:policyId': { status: 204 },
  'GET /apps/:appId/grants': { answer: 'ScopeGrant[]' },
  'POST /apps/:appId/grants': { body: 'NewScopeGrant', answer: 'ScopeGrant', status: 201 },
  'GET /apps/:appId/grants/:grantId': { answer: 'ScopeGrant' },
  'GET /apps/:appId/credentials/secrets': { answer: 'Secret[]' },
  'POST /apps/:appId/credentials/secrets': { body: 'NewSecret', answer: 'Secret', status: 201 },
  'GET /apps/:appId/credentials/secrets/:secretId': { answer: 'Secret' },
  'POST /apps/:appId/credentials/secrets/:secretId/lifecycle/activate': { answer: 'Secret' },
  'POST /apps/:appId/credentials/secrets/:secretId/lifecycle/deactivate': { answer: 'Secret' },
  'GET /apps/:appId/groups': { answer: 'AppGroup[]' },
  'PUT /apps/:appId/groups/:groupId': { answer: 'AppGroup' },
  'GET /apps/:appId/users': { answer: 'AppUser[]' },
  'POST /apps/:appId/users': { body: 'NewAppUser', answer: 'AppUser' },
  'GET /apps/:appId/users/:userId': { answer: 'AppUser' },
  'GET /trustedOrigins': { answer: 'TrustedOrigin[]', query: page },
  'POST /trustedOrigins': { body: 'NewTrustedOrigin', answer: 'TrustedOrigin' },
  'GET /trustedOrigins/:trustedOriginId': { answer: 'TrustedOrigin' },
  'PUT /trustedOrigins/:trustedOriginId': { body: 'NewTrustedOrigin', answer: 'TrustedOrigin' },
  'POST /trustedOrigins/:trustedOriginId/lifecycle/activate': { answer: 'TrustedOrigin' },
  'POST /trustedOrigins/:trustedOriginId/lifecycle/deactivate': { answer: 'TrustedOrigin' },
  'GET /policies': { answer: 'Policy[]', query: ['type'] },
  'POST /policies': { body: 'NewPolicy', answer: 'Policy' },
  'GET /policies/:policyId': { answer: 'Policy' },
  'PUT /policies/:policyId': { body: 'PolicyChanges', answer: 'Policy' },
  'POST /policies/:policyId/lifecycle/activate': { status: 204 },
  'POST /policies/:policyId/lifecycle/deactivate': { status: 204 },
  'GET /policies/:policyId/app': { answer: 'App[]' },
  'GET /policies/:policyId/rules': { answer: 'PolicyRule[]' },
  'POST /policies/:policyId/rules': { body: 'NewPolicyRule', answer: 'PolicyRule' },
  'GET /policies/:policyId/rules/:ruleId': { answer: 'PolicyRule' },
  'PUT /policies/:policyId/rules/:ruleId': { body: 'NewPolicyRule', answer: 'PolicyRule' },
  'POST /policies/:policyId/rules/:ruleId/lifecycle/activate': { status: 204 },
  'POST /policies/:policyId/rules/:ruleId/lifecycle/deactivate': { status: 204 },
  'GET /meta/schemas/user/:schemaId': { answer: 'UserSchema' },
  'POST /meta/schemas/user/:schemaId': { body: 'UserSchemaChanges', answer: 'UserSchema' },
  'GET /meta/types/user': { answer: 'UserType[]' },
  'GET /meta/types/user/:typeId': { answer: 'UserType' },
  'GET /authenticators': { answer: 'Authenticator[]' },
  'GET /authenticators/:authenticatorId': { answer: 'Authenticator' },
  'PUT /authenticators/:authenticatorId': { body: 'AuthenticatorChanges', answer: 'Authenticator' },
  'POST /authenticators/:authenticatorId/lifecycle/activate': { answer: 'Authenticator' },
  'POST /authenticators/:authenticatorId/lifecycle/deactivate': { answer: 'Authenticator' },
  'GET /authorizationServers': { answer: 'AuthorizationServer[]' },
  'GET /authorizationServers/:authServerId': { answer: 'AuthorizationServer' },
  'GET /authorizationServers/:authServerId/policies': { answer: 'ServerPolicy[]' },
  'GET /authorizationServers/:authServerId/policies/:policyId': { answer: 'ServerPolicy' },
  'GET /authorizationServers/:authServerId/policies/:policyId/rules': { answer: 'ServerPolicyRule[]' },
  'GET /authorizationServers/:authServerId/policies/:policyId/rules/:ruleId': { answer: 'ServerPolicyRule' },
  'GET /authorizationServers/:authServerId/scopes': { answer: 'Scope[]' },
  'GET /authorizationServers/:authServerId/scopes/:scopeId': { answer: 'Scope' },
  'GET /authorizationServers/:authServerId/claims': { answer: 'Claim[]' },
  'GET /authorizationServers/:authServerId/claims/:claimId': { answer: 'Claim' },
  'GET /logs': {
    answer: 'LogEvent[]',
    query: [...page, 'since', 'until', 'filter', 'q', 'sortOrder'],
  },
}

const anything = { type: 'object' }
const json = (schema: object) => ({ content: { 'application/json': { schema } } })

function schemaOf(name: string): object {
  const list = name.endsWith('[]')
  const one = ref((list ? name.slice(0, -2) : name) as Name)
  return list ? Type.Array(one) : one
}

/** The operations of the management API as paths of the document, made from those that are served. */
export function managementPaths(): Readonly<Record<string, Readonly<Record<string, object>>>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const { method, path, role, summary } = operation
    const shape = shapes[`${method} ${path}`] ?? {}
    const { body, answer, status = method === 'DELETE' ? 204 : 200, query = [] } = shape
    const refused = { description: 'Refused.', ...json(ref('Error')) }
    const address = `/api/v1${path.replace(/:(\w+)/g, '{$1}')}`
    paths[address] = {
      ...paths[address],
      [method.toLowerCase()]: {
        operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z]+(\w)?/g, (_, letter = '') => letter.toUpperCase())}`,
        tags: [path.split('/')[1]],
        summary,
        description: `An API token needs the role \`${role}\`, a service app the scope \`${scopeOf(operation)}\`.`,
        parameters: [
          ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
            name,
            in: 'path',
            required: true,
            schema: Type.String(),
          })),
          ...query.map((name) => ({ name, in: 'query', required: name === 'type', schema: queries[name] })),
        ],
        ...(body && { requestBody: { required: true, ...json(schemaOf(body)) } }),
        security: [{ apiToken: [] }, { serviceApp: [scopeOf(operation)] }],
        responses: {
          [status]: {
            description: 'Done.',
            ...(status !== 204 && json(answer === undefined ? anything : schemaOf(answer))),
          },
          '4XX': refused,
          '5XX': { ...refused, description: 'Failed, or not there yet; nothing was changed.' },
        },
      },
    }
  }
  return paths
}

/** The scopes that the operations ask for. */
export const scopes = (): Readonly<Record<string, string>> =>
  Object.fromEntries([...new Set(operations.map(scopeOf))].sort().map((scope) => [scope, scope]))
