import Negotiator from 'negotiator'

/** Whether a caller would rather have a page than JSON (RFC 9110, section 12.5.1), as a browser does that goes to an address. */
export const prefersPage = (accept: string | undefined): boolean =>
  new Negotiator({ headers: { accept: accept?.slice(0, 500) } }).mediaType([
    'application/json',
    'text/html',
  ]) === 'text/html'
