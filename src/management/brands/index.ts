/** The brand and its theme over HTTP, after Okta's Brands API, as far as the pages have them: a name, a logo, a colour, a privacy policy. */
export { brandOperations } from './operations.ts'
