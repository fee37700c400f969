/** The system log over HTTP, after Okta's System Log API: pages of events, and following the log. */
export { logOperations } from './operations.ts'
