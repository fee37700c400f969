import { isCollateral } from './fused.ts'

/** Statements of one transaction that nothing has waited for yet. */
export class Pending {
  readonly #sent: Promise<void>[] = []
  readonly #failures: unknown[] = []

  add(sent: Promise<unknown>): void {
    this.#sent.push(
      sent.then(
        () => {},
        (error) => void this.#failures.push(error),
      ),
    )
  }

  /** Whether it is known by now that one has failed. */
  get hasFailed(): boolean {
    return this.#failures.length > 0
  }

  /** Settles after all of them; throws the cause where one has failed, or where the transaction has failed of `others`. */
  async settle(...others: readonly unknown[]): Promise<void> {
    while (this.#sent.length > 0) await this.#sent.shift()
    const failures = [...this.#failures, ...others]
    if (failures.length > 0) throw firstCause(failures)
  }
}

/** PostgreSQL refuses every later statement of a failed transaction: of several failures the cause is another one. */
export const firstCause = (failures: readonly unknown[]): unknown =>
  failures.find((error) => !isCollateral(error)) ?? failures[0]

const pendings = new WeakMap<object, Pending>()

/** Of a part of a transaction that may fail by itself: what it has sent is settled with it. */
export async function withPendingOf<T>(tx: object, work: () => Promise<T>): Promise<T> {
  const outer = pendings.get(tx)
  if (outer === undefined) return work()
  const own = new Pending()
  pendings.set(tx, own)
  try {
    const result = await work()
    await own.settle()
    return result
  } catch (error) {
    await own.settle(error)
    throw error
  } finally {
    pendings.set(tx, outer)
  }
}

export function openPending(tx: object, pending: Pending): void {
  pendings.set(tx, pending)
}

/**
 * Lets a statement of a transaction whose result its caller does not need travel to the server together with COMMIT, in place
 * of a round trip of its own. Where it fails nothing of the transaction stands, and `transaction` throws what it failed with.
 * To be awaited: outside of a transaction it settles with the statement. One statement that is sent at once: what comes after
 * another one's result is refused where COMMIT is on its way by then, and what is thrown after the result undoes nothing.
 */
export async function withCommit(db: object, sent: Promise<unknown>): Promise<void> {
  const pending = pendings.get(db)
  if (pending === undefined) await sent
  else pending.add(sent)
}
