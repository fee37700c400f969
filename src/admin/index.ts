/**
 * The admin page: one static page with one script that asks for an API token, keeps it for this tab alone, and calls
 * the management API with it. It can do nothing that the token could not. The server knows nothing of who uses it.
 */
export { serveAdminPage } from './routes.ts'
