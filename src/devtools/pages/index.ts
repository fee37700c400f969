/**
 * The common parts of the pages of the development tools: the tabs, the scripts, and the way to the admin page. Frame, style
 * and parts are those of `ui/`.
 */
export { type Tab, toolPage } from './frame.ts'
export { type Addresses, landingPage } from './landing.ts'
export { adminRoute, assetRoutes } from './routes.ts'
