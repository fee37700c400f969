import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'
import { ProtocolError } from '../base/index.ts'
import { isForeign, mayReplace, verifyForeign } from './foreign.ts'

/** Parameters of argon2id (RFC 9106); they stand in each hash, so they can change without a migration. */
export interface HashParameters {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** What OWASP asks for at least: 19 MiB, two passes, one lane. */
export const standardHash: HashParameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }

/** For tests only: as fast as argon2id can be, and as easily broken. */
export const insecureFastHash: HashParameters = { memoryKiB: 8, passes: 1, lanes: 1 }

export interface HashLoad {
  readonly running: number
  readonly waiting: number
  readonly refused: number
}

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Whether the password is the one hashed. Without a hash it takes the same time and is never. */
  verify(password: string, hash: string | undefined): Promise<boolean>
  /**
   * Whether a hash of the password, which is the one hashed, is to be made anew: it is somebody else's, or was made with
   * other parameters than today's.
   */
  isOutdated(hash: string, password: string): boolean
  /** How many hashes run and wait, and how many callers were sent away so far. */
  load(): HashLoad
}

export interface HasherOptions {
  readonly parameters: HashParameters
  /** How many run at once: they share a thread pool with signing and file access, so never more than cores. */
  readonly concurrency: number
  /** How many may wait; beyond that callers are sent away with 503, so that a flood costs no memory. */
  readonly queue: number
}

export function createHasher({ parameters, concurrency, queue }: HasherOptions): PasswordHasher {
  const cost = {
    memoryCost: parameters.memoryKiB,
    timeCost: parameters.passes,
    parallelism: parameters.lanes,
    outputLen: 32,
  }
  const turns = createTurns(concurrency, queue)
  const hash = (password: string) => turns.take(() => argon2Hash(normalised(password), cost))
  // What the passwords of people who do not exist are compared with.
  let nobodys: Promise<string> | undefined

  return {
    hash,
    async verify(password, stored) {
      if (stored !== undefined && isForeign(stored)) return turns.take(() => isForeigns(password, stored))
      nobodys ??= argon2Hash('nobody has this password', cost)
      const compared = stored ?? (await nobodys)
      const matches = await turns.take(() => argon2Verify(compared, normalised(password)))
      return matches && stored !== undefined
    },
    isOutdated: (stored, password) =>
      mayReplace(password, stored) &&
      !stored.startsWith(`$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`),
    load: turns.load,
  }
}

/** One form of the same characters, however a keyboard composed them (NIST SP 800-63B-4, section 3.1.1.2). */
const normalised = (password: string): string => password.normalize('NFC')

/** Whoever hashed it may have done so as it was typed, or in the one form. */
async function isForeigns(password: string, stored: string): Promise<boolean> {
  if (await verifyForeign(password, stored)) return true
  const composed = normalised(password)
  return composed !== password && verifyForeign(composed, stored)
}

function createTurns(concurrency: number, queue: number) {
  let running = 0
  let refused = 0
  const waiting: (() => void)[] = []
  return {
    load: () => ({ running, waiting: waiting.length, refused }),
    async take<T>(work: () => Promise<T>): Promise<T> {
      if (running >= concurrency) {
        if (waiting.length >= queue) {
          refused++
          throw new ProtocolError(503, 'E0000010', 'The service is busy. Try again in a moment.', {
            detail: 'the queue of password hashes is full',
            headers: { 'retry-after': '2' },
          })
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else {
        running++
      }
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) running--
        else next() // The place goes straight to the next in line.
      }
    },
  }
}
