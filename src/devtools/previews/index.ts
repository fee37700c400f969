/**
 * The preview of the mails: each template in each language, as HTML and as text, with sample data. The templates are
 * read afresh at each look, so whoever writes her own sees them as they are now, or why they would be refused.
 */
export { mailRoutes } from './routes.ts'
