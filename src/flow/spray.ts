import { countSignIns } from '../audit/index.ts'
import type { Clock } from '../base/index.ts'
import { attackFrom, type Budgets, everybody, peek, type Source } from '../limits/index.ts'
import type { Storage } from '../storage/index.ts'

/**
 * What decides how wrong answers about many names are met (A11), besides the budgets themselves: how many users sign in
 * meanwhile, from where, and how many answers are being checked at this moment.
 */
export interface SprayWatch {
  /**
   * From how many wrong answers of all sources on the installation is under attack. Below the configured number nothing is
   * asked; beyond it the users who have signed in within the same window are counted, with one statement a few seconds.
   */
  attackFrom(wrong: number): Promise<number>
  /** How many users have signed in from a source on this node, any worker of it, within the hour; a user counts once an hour. */
  signInsFrom(source: Source): number
  /** Notes a completed sign-in. @param before when the user last signed in before it */
  signedIn(source: Source, before: number | null | undefined): void
  /** Counts an answer of a source that is about to be checked on this node, until `end` is called. */
  begin(source: Source): AnswerInHand | Promise<AnswerInHand>
  /** Whether the installation is under attack now: for metrics. One statement, or two. */
  underAttack(): Promise<boolean>
  /** Forgets what it has noted: for an engine that starts over from its seed. */
  clear(): void
}

/** An answer that is being checked. */
export interface AnswerInHand {
  /** How many of its source are being checked now, this one among them. */
  readonly inFlight: number
  end(): void
}

/** What the workers of a node note together of sources. */
export interface SharedSources {
  begin(key: string): Promise<AnswerInHand>
  /** Passes on to the others a sign-in. */
  signedIn(key: string): void
  /** Calls the listener with the sign-ins of the others. */
  onSignedIn(listener: (key: string) => void): void
}

/** More sources than these at once are no offices; the oldest are forgotten first, so that memory stays bounded (A60). */
const mostSources = 10_000
const recountMs = 5000

export function createSprayWatch({
  storage,
  clock,
  budgets,
  shared,
}: {
  /** Where other workers note the same. */
  readonly shared?: SharedSources | undefined
  readonly storage: Storage
  readonly clock: Clock
  readonly budgets: Budgets
}): SprayWatch {
  const { spray } = budgets
  const { windowMs } = spray.everywhere
  /** The times of sign-ins by source, oldest first. */
  const signIns = new Map<string, readonly number[]>()
  const checking = new Map<string, number>()
  let counted: { readonly at: number; readonly signIns: number } | undefined

  const recent = (times: readonly number[]): readonly number[] =>
    times.filter((time) => time > clock.now() - windowMs)

  async function countRecent(): Promise<number> {
    const now = clock.now()
    if (counted === undefined || now < counted.at || now >= counted.at + recountMs) {
      counted = { at: now, signIns: await countSignIns(storage.db, now - windowMs) }
    }
    return counted.signIns
  }

  const from = async (wrong: number): Promise<number> =>
    wrong < spray.everywhere.limit || spray.perHundredSignIns === 0
      ? spray.everywhere.limit
      : attackFrom(spray, await countRecent())

  function note(key: string): void {
    counted = undefined
    // As many as a budget can use; put anew, so that the map's order is that of the last sign-ins.
    const times = [...recent(signIns.get(key) ?? []), clock.now()].slice(-100)
    signIns.delete(key)
    signIns.set(key, times)
    for (const [oldest, [...itsTimes]] of signIns) {
      if (signIns.size <= mostSources && recent(itsTimes).length > 0) break
      signIns.delete(oldest)
    }
  }
  shared?.onSignedIn(note)

  return {
    attackFrom: from,
    signInsFrom: ({ key }) => recent(signIns.get(key) ?? []).length,
    signedIn({ key }, before) {
      const now = clock.now()
      // Once an hour for each user: else one account, signing in again and again, would widen what its source may guess.
      if (before !== null && before !== undefined && before > now - windowMs) return
      note(key)
      shared?.signedIn(key)
    },
    begin({ key }) {
      if (shared !== undefined) return shared.begin(key)
      const inFlight = (checking.get(key) ?? 0) + 1
      checking.set(key, inFlight)
      return {
        inFlight,
        end() {
          const left = (checking.get(key) ?? 1) - 1
          if (left > 0) checking.set(key, left)
          else checking.delete(key)
        },
      }
    },
    async underAttack() {
      const use = { budget: spray.everywhere, subject: everybody }
      const [{ used = 0 } = {}] = await peek(storage.db, [use], clock.now())
      return used >= (await from(used))
    },
    clear() {
      signIns.clear()
      counted = undefined
    },
  }
}
