import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'
import { costOf, isForeign, mayReplace, verifyForeign } from './foreign.ts'
import { createHashQueue, type HashCaller, type HashLoad, type HashQueue, type HashTimes } from './queue.ts'

/** Parameters of argon2id (RFC 9106); they stand in each hash, so they can change without a migration. */
export interface HashParameters {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** The least that OWASP asks for: 19 MiB, two passes, one lane. */
export const standardHash: HashParameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }

/** For tests only: as fast as argon2id can be, and as easily broken. */
export const insecureFastHash: HashParameters = { memoryKiB: 8, passes: 1, lanes: 1 }

export interface PasswordHasher {
  /** Hashes a password. Without a caller it is the engine's own work, which has no deadline. */
  hash(password: string, caller?: HashCaller): Promise<string>
  /** Whether the password is the one hashed. Without a hash it takes the same time and is never. */
  verify(password: string, hash: string | undefined, caller?: HashCaller): Promise<boolean>
  /**
   * Whether a hash of the password, which is the one hashed, is to be made anew: another system made it, or it was made with
   * other parameters than today's.
   */
  isOutdated(hash: string, password: string): boolean
  /** How many hashes run and wait, and how many callers were refused so far. */
  load(): HashLoad
  /** Calls the listener after each hash that was computed, with its times. */
  observe?(listener: (times: HashTimes) => void): void
}

export interface HasherOptions {
  readonly parameters: HashParameters
  /** How many run at once: they share a thread pool with signing and file access, so never more than cores. */
  readonly concurrency: number
  /** How many may wait; beyond that callers are refused with 503, so that a flood costs no memory. */
  readonly queue: number
  /** How long one may wait, in milliseconds, before its caller is refused with 503. */
  readonly waitMs?: number
  /** Where they wait, in place of a queue of this process: that of all workers. */
  readonly hashes?: HashQueue | undefined
}

export function createHasher({
  parameters,
  concurrency,
  queue,
  waitMs = 2000,
  hashes = createHashQueue({ concurrency, size: queue, waitMs }),
}: HasherOptions): PasswordHasher {
  const cost = {
    memoryCost: parameters.memoryKiB,
    timeCost: parameters.passes,
    parallelism: parameters.lanes,
    outputLen: 32,
  }
  const ownCost = (parameters.memoryKiB * parameters.passes) / 2000
  const hash = (password: string, caller?: HashCaller) =>
    hashes.take(() => argon2Hash(normalised(password), cost), ownCost, caller)
  // What the passwords of users who do not exist are compared with.
  let decoy: Promise<string> | undefined

  /**
   * Another system may have hashed the password as it was typed, or in its composed form: at most one comparison more,
   * which is a place of its own in the queue.
   */
  async function matchesForeign(password: string, stored: string, caller?: HashCaller): Promise<boolean> {
    const compare = (text: string) => hashes.take(() => verifyForeign(text, stored), costOf(stored), caller)
    if (await compare(password)) return true
    const composed = normalised(password)
    return composed !== password && compare(composed)
  }

  return {
    hash,
    async verify(password, stored, caller) {
      if (stored !== undefined && isForeign(stored)) return matchesForeign(password, stored, caller)
      decoy ??= argon2Hash('the password of no user', cost)
      const compared = stored ?? (await decoy)
      const matches = await hashes.take(
        () => argon2Verify(compared, normalised(password)),
        stored === undefined ? ownCost : costOf(stored),
        caller,
      )
      return matches && stored !== undefined
    },
    isOutdated: (stored, password) =>
      mayReplace(password, stored) &&
      !stored.startsWith(`$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`),
    load: hashes.load,
    observe: hashes.observe,
  }
}

/** One form of the same characters, however a keyboard composed them (NIST SP 800-63B-4, section 3.1.1.2). */
const normalised = (password: string): string => password.normalize('NFC')
