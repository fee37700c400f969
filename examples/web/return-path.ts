import type { Request } from 'express'
import type { Config } from './config.ts'

// Where a visitor goes on after a sign-in or a sign-up: the page of this app that sent there, as `?return_to=/orders`.

/** Pages that lead nowhere by themselves: returning to one of them would begin another attempt, or end the session. */
const attempts =
  /^\/(login|register|recover|activate|unlock|welcome|stopped|logout|enroll|select|challenge)\b/

/**
 * The path in `value`, or undefined where it leads anywhere but to a page of this app. An address that a browser reads as that
 * of another site would make a sign-in page that everybody trusts send its users there (open redirect): `//evil.example`,
 * `/\evil.example`, and what only becomes one of them once it is resolved, such as `/.//evil.example`.
 */
export function returnPath(value: unknown, { appUrl }: Pick<Config, 'appUrl'>): string | undefined {
  if (typeof value !== 'string' || value.length > 512 || !/^\/[!-~]*$/.test(value)) return undefined
  if (!URL.canParse(value, appUrl)) return undefined
  const { origin, pathname, search } = new URL(value, appUrl)
  if (origin !== new URL(appUrl).origin || !/^\/(?![/\\])/.test(pathname) || attempts.test(pathname))
    return undefined
  return `${pathname}${search}`
}

/** The link to a page that signs in or up, and leads back to `path`. */
export const thenTo = (page: '/login' | '/register', path: string): string =>
  `${page}?${new URLSearchParams({ return_to: path })}`

/** Stores the path of `?return_to=`, if there is one that may be used. Without one, an earlier one stays. */
export function rememberReturn(request: Request, config: Config): void {
  const path = returnPath(request.query.return_to, config)
  if (path !== undefined) request.session.returnTo = path
}
