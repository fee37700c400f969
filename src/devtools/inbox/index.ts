/**
 * The inbox as a web page, rendered on the server and complete without JavaScript; the script in `../assets/` adds live
 * updates, keyboard shortcuts and copying. A mail is untrusted content: its HTML is shown in a sandboxed frame with an
 * origin of its own, without scripts and network access, and all other parts of it are escaped text.
 */
export { mailDocument, mailPolicy } from './mail-document.ts'
export { inboxRoutes } from './routes.ts'
