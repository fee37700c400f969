/**
 * An error that becomes a response. Each protocol has one function that renders it as a body. `code` is stable and
 * `description` public; `detail` and `cause` are for the log only.
 */
export class ProtocolError extends Error {
  readonly status: number
  readonly code: string
  readonly description: string
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What is wrong with which part of the request, as public sentences. */
  readonly causes: readonly string[]

  constructor(
    status: number,
    code: string,
    description: string,
    options: {
      readonly detail?: string
      readonly cause?: unknown
      readonly headers?: Readonly<Record<string, string>>
      readonly causes?: readonly string[]
    } = {},
  ) {
    super(`${code}: ${description}`, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ProtocolError'
    this.status = status
    this.code = code
    this.description = description
    this.detail = options.detail
    this.headers = options.headers ?? {}
    this.causes = options.causes ?? []
  }
}

/**
 * The configuration cannot be used. Carries all problems, not the first alone, each as a sentence that says what to do.
 */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** The answer where nothing was written and the same request may succeed a moment later, on this node or another. */
export const tryAgain = {
  status: 503,
  code: 'E0000010',
  description: 'The service is temporarily unavailable. Try again in a moment.',
  headers: { 'Retry-After': '2' },
} as const

/**
 * The causes of an error as a user interface shows them. Of a password that breaks rules the API names all rules in one
 * sentence first, as Okta does, and then each that is not met: a user who is setting one needs the latter only.
 */
export function shownCauses(causes: readonly string[]): readonly string[] {
  const unmet = causes.flatMap((cause) => /^(\w+: )?not met: /.exec(cause)?.slice(1) ?? [])
  const isList = (cause: string) =>
    unmet.some((field = '') => cause.startsWith(`${field}Password requirements were not met.`))
  return causes.filter((cause) => !isList(cause))
}
