/**
 * The common parts of all pages: the frame with the tabs, the content security policy that allows only our own files,
 * and those files.
 */
export { framed, type Tab } from './frame.ts'
export { adminRoute, assetRoutes, sendPage } from './routes.ts'
