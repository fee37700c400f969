import type { AddressObject } from 'mailparser'

/** The content of a mail, parsed from its bytes alone, without data from the engine. */
export interface MailContent {
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The code to enter, or null if the mail has none. */
  readonly code: string | null
  /** The link of the button, or null if the mail has none. */
  readonly link: string | null
  readonly template: string | null
}

/** Parses a mail (RFC 5322). A missing part is an empty text; if there is only HTML, the text is derived from it. */
export async function readMail(source: Buffer): Promise<MailContent> {
  // Loaded with the first mail: 90 ms, and many tests read none.
  const { simpleParser } = await import('mailparser')
  const mail = await simpleParser(source, { skipTextToHtml: true })
  const text = mail.text ?? ''
  const html = mail.html || ''
  const template = mail.headers.get('x-rekey-template')
  return {
    from: formatSender(mail.from),
    subject: mail.subject ?? '',
    text,
    html,
    code: codeIn(text, html),
    link: linkIn(html),
    template: typeof template === 'string' && /^[\w.-]{1,64}$/.test(template) ? template : null,
  }
}

function formatSender(from: AddressObject | undefined): string {
  const sender = from?.value[0]
  const address = sender?.address ?? ''
  return sender?.name ? `${sender.name} <${address}>` : address
}

const code = '([0-9]{6}|[A-Za-z0-9]{10})(?![A-Za-z0-9])'
const sentences = [
  new RegExp(`Enter a code instead: ${code}`),
  new RegExp(`enter this code: <b>${code}`),
  new RegExp(`enter the verification code: <strong>${code}`),
]
// The sentence differs between languages, but in the text part the code ends its line: after a colon, or alone.
// Right-to-left mails put it between invisible direction marks. A code of letters contains a digit; otherwise it is a
// word. The marks exclude line breaks: with them a mail of a million empty lines would take quadratic time.
const marks = '[ \\t\\r\\u00a0\\u3000\\u200e\\u200f\\u2066-\\u2069]*'
const endOfLine = new RegExp(`(?:[:：]|^)${marks}([0-9]{6}|(?=[A-Z]*[0-9])[A-Z0-9]{10})${marks}$`, 'm')

/** The code in a mail, found by the sentence before it, also in mails with the wording of Okta. */
export function codeIn(text: string, html: string): string | null {
  for (const sentence of sentences) {
    const found = sentence.exec(text) ?? sentence.exec(html)
    if (found?.[1] !== undefined) return found[1]
  }
  return endOfLine.exec(text)?.[1] ?? null
}

const buttons = new Set([
  'reset-password-link',
  'email-authentication-button',
  'email-activation-button',
  'unlock-account-link',
  'registration-activation-link',
  'push-verify-activation-link',
])

/** The link of the button: exactly `<a id="…" href="…">`, known ids first, http and https only. */
export function linkIn(html: string): string | null {
  const found = [...html.matchAll(/<a id="([^"]*)" href="([^"\s]+)"/g)].flatMap(([, id = '', href = '']) => {
    const target = unescapeHtml(href)
    // The page shows it as a link, so a `javascript:` address must be excluded.
    return /^https?:\/\//i.test(target) ? [{ id, target }] : []
  })
  return (found.find(({ id }) => buttons.has(id)) ?? found[0])?.target ?? null
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescapeHtml = (text: string): string =>
  text.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|(\w+));/gi, (whole, decimal, hexadecimal, name) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal))
      : (named[name] ?? whole),
  )
