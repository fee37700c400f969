/**
 * The preview of the engine's own sign-in pages: each kind of page in each language, with made-up users. It is drawn by the function that
 * draws the pages; its forms lead nowhere.
 */
export { pagePreviewRoutes, previewNames } from './routes.ts'
