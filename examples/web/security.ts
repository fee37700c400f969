import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { captchaFields } from './captcha.ts'
import type { Config } from './config.ts'
import type { Field } from './pages/page.ts'

/**
 * Allows only resources of this app and no inline code. Forms may post to this app and to `formTarget`, if given; a page with
 * a captcha may load it from its provider.
 */
export const contentSecurityPolicy = ({
  formTarget = '',
  captcha = '',
}: {
  readonly formTarget?: string
  readonly captcha?: string
} = {}) =>
  [
    "default-src 'none'",
    `style-src 'self' ${captcha}`.trim(),
    `script-src 'self' ${captcha}`.trim(),
    // The QR code of an enrolment is an image in a data: URL. As an image it runs no script and requests nothing.
    "img-src 'self' data:",
    `connect-src 'self' ${captcha}`.trim(),
    ...(captcha === '' ? [] : [`frame-src ${captcha}`]),
    `form-action 'self' ${formTarget}`.trim(),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** Sets the security headers of every response. */
export function secureHeaders(config: Config): RequestHandler {
  const headers = {
    'Content-Security-Policy': contentSecurityPolicy(),
    'X-Content-Type-Options': 'nosniff',
    // The address of the callback contains a code: it must not be sent to other sites as a referrer or cached.
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    ...(config.appUrl.startsWith('https:') && { 'Strict-Transport-Security': 'max-age=31536000' }),
  }
  return (_request, response, next) => {
    response.set(headers)
    next()
  }
}

/** Thrown for a request that none of our pages sends. */
export class BadRequest extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** What a browser says about a passkey, and a token of a captcha, are longer than what is typed. */
const longFields: readonly string[] = [
  'clientData',
  'attestation',
  'authenticatorData',
  'signatureData',
  ...captchaFields,
]

/** Reads a posted form. Each field must be one short text: doubled fields arrive as arrays and are refused. */
export function readForm(body: unknown): Field {
  const fields = new Map<string, string>()
  for (const [name, value] of Object.entries(body ?? {})) {
    if (typeof value !== 'string') throw new BadRequest(400, 'a field is not a single text')
    if (value.length > (longFields.includes(name) ? 16_000 : 1024))
      throw new BadRequest(400, 'a field is too long')
    fields.set(name, value)
  }
  return (name) => fields.get(name) ?? ''
}

/** The CSRF token of our forms, which other sites cannot know. */
export function csrfToken(request: Request): string {
  request.session.csrf ??= randomBytes(32).toString('base64url')
  return request.session.csrf
}

/** Whether the form comes from a page of this session. */
export function isOwnForm(request: Request, field: Field): boolean {
  const own = Buffer.from(request.session.csrf ?? '')
  const sent = Buffer.from(field('csrf'))
  return own.length > 0 && own.length === sent.length && timingSafeEqual(own, sent)
}
