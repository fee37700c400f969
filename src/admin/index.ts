/**
 * The admin page: a static page whose script asks for an API token, stores it for the tab only, and calls the management
 * API with it. It has the permissions of the token and no server-side state of its own.
 */
export { serveAdminPage } from './routes.ts'
