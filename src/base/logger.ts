import { destination, type LevelWithSilent, type Logger, pino } from 'pino'
import { presentTrace } from './trace.ts'

export type { Logger }

// Members of log objects with these names are redacted.
const secretNames = [
  'password',
  'passcode',
  'newPassword',
  'credentials',
  'stateHandle',
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

/**
 * A JSON logger on standard error: standard output belongs to what a command prints. Redacts members with the names
 * above, down to the third level, and adds the trace of the request that a line belongs to.
 */
export function createLogger(options: {
  readonly level: LevelWithSilent
  readonly stream?: { write(line: string): void }
}): Logger {
  const paths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    {
      level: options.level,
      redact: { paths, censor: '[redacted]' },
      base: null,
      // Finds the lines of one request, together with those of its caller and of the services that it calls.
      mixin: () => ({ ...presentTrace() }),
    },
    options.stream ?? destination({ dest: 2, sync: true }),
  )
}

export const silentLogger: Logger = pino({ level: 'silent' })
