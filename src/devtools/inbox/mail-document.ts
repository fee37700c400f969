/**
 * Loads no resources, runs no scripts and posts no forms; styles within the mail apply only to the mail itself.
 * The sandbox is set here as well as on the frame, because the address can be opened directly. Links may open a new
 * tab, so that they can be followed.
 */
export const mailPolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ')

/** The unchanged HTML of the mail. The first `base` element of a document counts, so all links open a new tab. */
export const mailDocument = (html: string): string =>
  `<!doctype html><meta name="viewport" content="width=device-width"><base target="_blank">${html}`

/** Whether the mail refers to resources that the policy blocks, so that the page can show a note. */
export const asksForRemoteContent = (html: string): boolean =>
  /<(?:img|video|audio|source|iframe|embed|input)\b[^<>]*\bsrc\s*=\s*["']?\s*(?:https?:)?\/\/|url\(\s*["']?\s*https?:|<link\b[^<>]*\bhref\s*=\s*["']?\s*(?:https?:)?\/\//i.test(
    html,
  )
