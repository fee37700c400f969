import { destination, type LevelWithSilent, type Logger, pino } from 'pino'
import { describeError, type ErrorDescription, isErrorCode } from './error-description.ts'
import { createSampler } from './sampler.ts'
import { presentTrace } from './trace.ts'

export type { Logger }

// Members of log objects with these names are redacted.
const secretNames = [
  'password',
  'passcode',
  'newPassword',
  'credentials',
  'stateHandle',
  'stateToken',
  'sessionToken',
  'passCode',
  'interactionHandle',
  'interaction_handle',
  'interaction_code',
  'code_verifier',
  'client_secret',
  'clientSecret',
  'access_token',
  'id_token',
  'refresh_token',
  'token',
  'otp',
  'code',
  'link',
  'authorization',
  'cookie',
  'secret',
]

/** How many lines of one kind of error are written in a minute. The first of them has a stack. */
const linesPerMinute = 20

/** pino's number of the level from which on errors are sampled: warn. */
const sampledFrom = 40

/**
 * A JSON logger on standard error: standard output belongs to what a command prints. Redacts members with the names
 * above, down to the third level, but for the codes of errors (SQLSTATE, errno), and adds the trace of the request that a
 * line belongs to.
 *
 * Lines are written at once, so that none is lost in a crash, and errors are therefore bounded: of one kind a line with a
 * stack a minute, some without, and the rest is counted in `suppressed` of the next one. While the database is away each
 * request fails in the same way, and a stack for each would hold up the others and fill the disk (A60).
 */
export function createLogger(options: {
  readonly level: LevelWithSilent
  readonly stream?: { write(line: string): void }
  /** Members of every line, such as the number of a worker. */
  readonly base?: Readonly<Record<string, unknown>>
}): Logger {
  // Named first, so that the function below is given `err` in its path instead of the wildcard.
  const paths = ['err.secret', ...secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])]
  const sampler = createSampler({ perMinute: linesPerMinute })
  return pino(
    {
      level: options.level,
      redact: {
        paths,
        censor: (value, path) =>
          path[0] === 'err' && path.at(-1) === 'code' && isErrorCode(value) ? value : '[redacted]',
      },
      base: options.base ?? null,
      // Finds the lines of one request, together with those of its caller and of the services that it calls.
      mixin: () => ({ ...presentTrace() }),
      serializers: { err: describeError },
      hooks: {
        logMethod(inputs, method, level) {
          const [given, message] = inputs as [unknown, unknown]
          const line = given instanceof Error ? { err: given } : given
          if (level < sampledFrom || !hasError(line)) return method.apply(this, inputs)
          const description = describeError(line.err) as ErrorDescription
          const { isAllowed, isFirst, suppressed } = sampler.take(kindOf(description, message))
          if (!isAllowed) return
          const err = isFirst ? description : withoutStacks(description)
          const sampled = { ...line, err, ...(suppressed > 0 && { suppressed }) }
          method.apply(this, [sampled, message] as unknown as typeof inputs)
        },
      },
    },
    options.stream ?? destination({ dest: 2, sync: true }),
  )
}

const withoutStacks = ({ stack: _, cause, ...others }: ErrorDescription): ErrorDescription => ({
  ...others,
  ...(cause && { cause: withoutStacks(cause) }),
})

const hasError = (line: unknown): line is { readonly err: Error } =>
  typeof line === 'object' && line !== null && 'err' in line && line.err instanceof Error

/** What is counted together: errors of one class with the same code, in the same place of the source. */
const kindOf = ({ type, code, sqlstate, errno, stack }: ErrorDescription, message: unknown): string =>
  [message, type, code, sqlstate, errno, stack?.split('\n').find((line) => /^\s+at /.test(line))].join('|')

export const silentLogger: Logger = pino({ level: 'silent' })
