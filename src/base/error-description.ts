/** An error as the log has it: these members alone, since others may hold what a user has sent. */
export interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly code?: string | number
  /** What PostgreSQL answered (SQLSTATE), of this error or of the one that caused it. */
  readonly sqlstate?: string
  /** What the operating system answered, such as `ECONNREFUSED`, of this error or of the one that caused it. */
  readonly errno?: string
  readonly status?: number
  readonly detail?: string
  /** What a mail server answered, and to which command. */
  readonly responseCode?: number
  readonly response?: string
  readonly command?: string
  readonly stack?: string
  readonly cause?: ErrorDescription
}

const sqlstate = /^(?=.*\d)[0-9A-Z]{5}$/
const errno = /^(?:E[A-Z]{2,14}|E2BIG|EAI_[A-Z]+)$/
const otherCodes =
  /^(?:(?:ERR|FST|SQLITE|UND|HPE|CERT|DEPTH|SELF|UNABLE)(?:_[A-Z0-9]+)+|E\d{7}|[a-z][a-z]*(?:[._][a-z]+)*)$/

/**
 * Whether a member called `code` is the code of an error, which explains it, and not one that was mailed to a user or
 * that redeems a sign-in (A42): those have digits among upper-case letters, or are six digits, or 43 letters.
 */
export const isErrorCode = (value: unknown): boolean =>
  typeof value === 'string' && (sqlstate.test(value) || errno.test(value) || otherCodes.test(value))

const deepest = 4

/** Describes an error with what caused it. Other values are returned as they are. */
export const describeError = (error: unknown): unknown =>
  error instanceof Error ? descriptionOf(error, 0) : error

function descriptionOf(error: Error, depth: number): ErrorDescription {
  const own = error as Error & Partial<Record<string, unknown>>
  const text = (name: string) => (typeof own[name] === 'string' ? { [name]: own[name] } : {})
  const number = (name: string) => (typeof own[name] === 'number' ? { [name]: own[name] } : {})
  const inner =
    own.cause instanceof Error && depth < deepest ? descriptionOf(own.cause, depth + 1) : undefined
  // Several attempts, such as a connection to each address of a name: the first stands for all.
  const [first] = error instanceof AggregateError ? error.errors : []
  const attempt = first instanceof Error && depth < deepest ? descriptionOf(first, depth + 1) : undefined
  const cause = inner ?? attempt
  const code = typeof own.code === 'string' ? own.code : undefined
  const states = {
    ...(cause?.sqlstate && { sqlstate: cause.sqlstate }),
    ...(cause?.errno && { errno: cause.errno }),
  }
  return {
    type: error.constructor.name || error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...states,
    ...(code !== undefined && sqlstate.test(code) && { sqlstate: code }),
    ...(code !== undefined && errno.test(code) && { errno: code }),
    ...number('status'),
    ...(error.name === 'ProtocolError' && text('detail')),
    ...number('responseCode'),
    ...text('response'),
    ...text('command'),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(cause && { cause }),
  }
}
