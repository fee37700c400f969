/**
 * What pages share: those for developers and operators one stylesheet, the frame with its tabs, chips, icons, dialogs, and the
 * functions of their scripts (`admin` and `devtools`); those for visitors another, their skeleton and the policy that they are
 * sent with (`idx`, `oidc`, `management`, `http`). It holds no page of its own and knows nothing of the engine.
 * The scripts are JavaScript that `npm run types` checks (tsconfig.browser.json), so that they are served as they are.
 */
export { framed, type Page } from './frame.ts'
export { confirmDialog, copyButton, envelope, icons, moment, toneChip } from './parts.ts'
export { sendPage, serveFiles, serveUiFiles, serveVisitorStylesheet } from './routes.ts'
export { visitorFormHeaders, visitorPage, visitorPageHeaders } from './visitor-page.ts'
