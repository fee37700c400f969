/**
 * What the pages for developers and operators share: one stylesheet, the frame with its tabs, chips, icons, dialogs, and the
 * functions of their scripts. Used by `admin` and `devtools`; it holds no page of its own and knows nothing of the engine.
 * The scripts are JavaScript that `npm run types` checks (tsconfig.browser.json), so that they are served as they are.
 */
export { framed, type Page, type TabLink } from './frame.ts'
export { confirmDialog, copyButton, envelope, icons, moment, type Tone, toneChip } from './parts.ts'
export { pagePolicy, sendPage, serveFiles, serveUiFiles } from './routes.ts'
