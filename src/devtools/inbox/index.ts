/**
 * The inbox as a web page, rendered on the server and whole without JavaScript; the script in `../assets/` adds live
 * update, keys and copying on top. A mail is a stranger's document: it is shown in a sandboxed frame of its own
 * origin, with no script and nothing from the network, and everything else of it is escaped text.
 */
export { mailDocument, mailPolicy } from './mail-document.ts'
export { inboxRoutes } from './routes.ts'
