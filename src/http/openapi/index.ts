/**
 * The engine's HTTP API as OpenAPI 3.1, derived from the operations that are served and the schemas of their bodies. A test
 * compares the routes and responses of a running engine with it.
 */
import { steps } from '../../idx/index.ts'
import { accountPaths } from './account.ts'
import { managementPaths, managementSchemas, scopes } from './management.ts'
import { protocolPaths } from './protocols.ts'
import { schemas } from './schemas.ts'

/** The OpenAPI document of an engine at an address. */
export const openApiDocument = (address: string): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Rekey',
    version: '1',
    description:
      'The management API (/api/v1), the MyAccount API (/idp/myaccount), the authorization servers (OAuth 2.0, OpenID Connect), IDX, health and metrics.',
  },
  servers: [{ url: address }],
  paths: {
    ...managementPaths(),
    ...accountPaths(),
    ...protocolPaths([...new Set(steps.map(({ path }) => path))]),
  },
  components: {
    schemas: { ...schemas, ...managementSchemas() },
    securitySchemes: {
      apiToken: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: '`SSWS`, a space, and an API token.',
      },
      serviceApp: {
        type: 'oauth2',
        flows: { clientCredentials: { tokenUrl: `${address}/oauth2/v1/token`, scopes: scopes() } },
      },
    },
  },
})
