import { ProtocolError, tryAgain } from '../base/index.ts'

/**
 * What an outcome was computed from has changed before it could be written: nothing was. Who catches it reads again and
 * computes anew; a caller whom it reaches is asked to come again.
 */
export class StaleRead extends ProtocolError {
  constructor(what: string) {
    const { status, code, description, headers } = tryAgain
    super(status, code, description, { headers, detail: `${what} changed meanwhile` })
  }
}

/** Enough for every change that an owner or an administrator makes; who changes more often than that has to wait. */
const mostAttempts = 3

/**
 * Reads, computes and writes, from the start again where what was read has changed meanwhile. Bounded, so that a stream
 * of changes by others cannot keep one request at work (and at hashing) for good.
 */
export async function retryStale<T>(work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt === mostAttempts || !(error instanceof StaleRead)) throw error
    }
  }
}
