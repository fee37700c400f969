/**
 * Nothing loads, nothing runs, nothing is posted; styles within the mail are its own and reach nobody else's page.
 * The sandbox stands here as well as on the frame, for whoever opens the address by itself. Links may open a tab
 * of their own: following one is what the mail is for.
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

/** The mail's HTML as it is. The first `base` of a document wins, so every link opens a tab. */
export const mailDocument = (html: string): string =>
  `<!doctype html><meta name="viewport" content="width=device-width"><base target="_blank">${html}`

/** Whether the mail asks for something that the policy keeps from loading, so that the page can say so. */
export const asksForRemoteContent = (html: string): boolean =>
  /<(?:img|video|audio|source|iframe|embed|input)\b[^<>]*\bsrc\s*=\s*["']?\s*(?:https?:)?\/\/|url\(\s*["']?\s*https?:|<link\b[^<>]*\bhref\s*=\s*["']?\s*(?:https?:)?\/\//i.test(
    html,
  )
