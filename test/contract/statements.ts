import { StatementSync } from 'node:sqlite'
import pg from 'pg'
import { vi } from 'vitest'

/** What reached a driver. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** How often it came. */
  times: number
}

/** Takes note of everything that reaches the driver, each text once, until mocks are restored. */
export function noteStatements(kind: 'sqlite' | 'postgres'): readonly Statement[] {
  const noted = new Map<string, Statement>()
  const note = (text: string, values: readonly unknown[] = []) => {
    if (/sqlite_master/.test(text)) return // The migrations' own look at the tables.
    if (!/^\s*(select|insert|update|delete|with)/i.test(text)) return
    const known = noted.get(text)
    if (known === undefined) noted.set(text, { text, values, times: 1 })
    else known.times++
  }
  if (kind === 'sqlite') {
    for (const name of ['all', 'run'] as const) {
      const original = StatementSync.prototype[name] as (...values: unknown[]) => unknown
      vi.spyOn(StatementSync.prototype, name).mockImplementation(function (
        this: StatementSync,
        ...values: unknown[]
      ) {
        note(this.sourceSQL, values)
        return original.apply(this, values) as never
      })
    }
  } else {
    const original = pg.Client.prototype.query as (...parameters: unknown[]) => unknown
    vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...parameters: unknown[]
    ) {
      const [query, values] = parameters as [
        string | { readonly text: string; readonly values?: unknown[] },
        unknown[]?,
      ]
      if (typeof query === 'string') note(query, values)
      else note(query.text, query.values)
      return original.apply(this, parameters) as never
    } as never)
  }
  return {
    [Symbol.iterator]: () => noted.values(),
    get length() {
      return noted.size
    },
  } as unknown as readonly Statement[]
}
