/**
 * The engine's own sign-in pages: one function from an IDX response to its page (`renderPage`), and the
 * routes below `/signin` that take its forms. It is a client of the protocol like any other: it reads
 * responses and sends submissions to the code of the IDX endpoints, which the engine hands it, and knows no
 * step, no flow and no database. A transaction is found by the cookie of the browser that it is bound to; no
 * address has its handle (A80).
 */
export { renderDone, renderExpired, renderLink } from './entry/pages.ts'
export { entryRoutes } from './entry/routes.ts'
export { leavePages } from './leave.ts'
export { readForm } from './read-form.ts'
export {
  type Brand,
  endPath,
  type PageOptions,
  pageAddress,
  pageQuery,
  renderFront,
  renderNotice,
  renderPage,
  returnAddress,
  signInPath,
} from './render.ts'
export type { IdxResponse } from './response.ts'
export { type PagesParts, pagesRoutes } from './routes.ts'
export { pagesOption, type WidgetOptions, widgetOptions } from './widget/options.ts'
export { findWidget, isWidgetProblem, type WidgetPackage } from './widget/package.ts'
export { type WidgetParts, widgetPageFor, widgetPath, widgetRoutes } from './widget/routes.ts'
