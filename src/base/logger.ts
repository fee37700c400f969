import { destination, type LevelWithSilent, type Logger, pino } from 'pino'
import { presentTrace } from './trace.ts'

export type { Logger }

// Whatever an object in a log line is called by these names stays out of the log.
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

/** A JSON logger on standard error, so that standard output stays the answer's. Secrets by name are redacted, one level deep too; lines of a request tell its trace. */
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
      // The lines of one request can be found together, beside those of whoever called and of whom it calls.
      mixin: () => ({ ...presentTrace() }),
    },
    options.stream ?? destination({ dest: 2, sync: true }),
  )
}

export const silentLogger: Logger = pino({ level: 'silent' })
