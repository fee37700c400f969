/**
 * The pages that describe the two APIs to a reader: that of the engine and the control API. Both are rendered from the
 * OpenAPI descriptions that are served, so that a page cannot say anything else.
 */
export { referenceRoutes } from './routes.ts'
