/**
 * The page with the buttons of the control API: the clock, users, failures and the reset. Each button is a call that a test
 * can make as well.
 */
export { toolsRoutes } from './routes.ts'
