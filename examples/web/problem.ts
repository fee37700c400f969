import { randomBytes } from 'node:crypto'
import { AuthApiError, AuthSdkError, OAuthError } from '@okta/okta-auth-js'
import { problemPage } from './pages/stopped.ts'
import { show, type Visit } from './visit.ts'
import type { Words } from './words.ts'

/** Renders an error as a page with instructions, and logs it if it was unexpected. */
export function showProblem(visit: Pick<Visit, 'words' | 'response'>, error: unknown): void {
  const { status, text, title, unexpected } = explain(error, visit.words)
  // Only unexpected errors have a reference, which connects the page with the log.
  const reference = unexpected ? randomBytes(4).toString('hex') : undefined
  if (reference !== undefined) console.error(reference, describe(error))
  show(visit, problemPage(visit.words, title ?? visit.words.problem.title, text, reference), { status })
}

interface Explanation {
  readonly status: number
  readonly text: string
  readonly title?: string
  readonly unexpected?: true
}

function explain(error: unknown, { problem, stopped }: Words): Explanation {
  // Our own errors and those of the Express parsers have a status.
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  if (status === 404) return { status, text: problem.notFound, title: problem.notFoundTitle }
  if (status === 403) return { status, text: problem.staleForm }
  if (status >= 400 && status < 500) return { status, text: problem.badRequest }
  if (isRateLimit(error)) return { status: 429, text: stopped.tooMany }
  if (error instanceof OAuthError) return { status: 502, text: problem.refused, unexpected: true }
  if (isOfTheSdk(error)) return { status: 502, text: problem.unreachable, unexpected: true }
  return { status: 500, text: problem.unexpected, unexpected: true }
}

const isRateLimit = (error: unknown) => error instanceof AuthApiError && error.xhr?.status === 429

const isOfTheSdk = (error: unknown) =>
  error instanceof AuthApiError || error instanceof AuthSdkError || error instanceof OAuthError

/** A description for the log. Errors of the SDK contain whole responses, so only code and summary are logged. */
function describe(error: unknown): string {
  if (isOfTheSdk(error)) return `${error.name} ${error.errorCode ?? ''} ${error.errorSummary}`
  return error instanceof Error ? (error.stack ?? error.name) : 'something other than an Error was thrown'
}
