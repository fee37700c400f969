/**
 * What all pages of the development side have in common: the frame with its tabs, the policy that lets nothing but
 * their own files run, and those files.
 */
export { framed, type Tab } from './frame.ts'
export { adminRoute, assetRoutes, sendPage } from './routes.ts'
