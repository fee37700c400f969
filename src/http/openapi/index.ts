/**
 * The engine's HTTP API as OpenAPI 3.1: made from the operations that are served and the shapes of their bodies. A test
 * holds a running engine against it: its routes, and its answers.
 */
import { steps } from '../../idx/index.ts'
import { managementPaths, scopes } from './management.ts'
import { protocolPaths } from './protocols.ts'
import { schemas } from './schemas.ts'

/** The document for the address that an engine is served at. */
export const openApiDocument = (address: string): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Rekey',
    version: '1',
    description:
      'The management API (/api/v1), the authorization servers (OAuth 2.0, OpenID Connect), the steps of IDX, and what operators ask.',
  },
  servers: [{ url: address }],
  paths: { ...managementPaths(), ...protocolPaths([...new Set(steps.map(({ path }) => path))]) },
  components: {
    schemas,
    securitySchemes: {
      apiToken: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'SSWS, a space, and an API token.',
      },
      serviceApp: {
        type: 'oauth2',
        flows: { clientCredentials: { tokenUrl: `${address}/oauth2/v1/token`, scopes: scopes() } },
      },
    },
  },
})
