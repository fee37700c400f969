/**
 * The preview of the mails: every template in every language, as HTML and as text, with sample data. The templates are
 * read at each request, so the preview shows the current files, or why they would be refused.
 */
export { mailRoutes } from './routes.ts'
