import { StatementSync } from 'node:sqlite'
import pg from 'pg'
import { vi } from 'vitest'
import { presentRequest } from '../../src/base/index.ts'

/**
 * What the engine asks of its database, noted where it reaches the driver. A request is counted by its own statements:
 * beside it mails are delivered and rows past their end are deleted, and the slower the machine is, the more of that
 * comes before the answer.
 */

/** What reached a driver. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** How often it came. */
  times: number
}

/** One statement on its way to the driver. */
export interface Sent {
  readonly text: string
  readonly values: readonly unknown[]
  /** The id of the request that sent it; undefined where none did: delivery, maintenance, the test itself. */
  readonly request: string | undefined
  /** The connection to PostgreSQL. */
  readonly client?: pg.Client
  /** How many rows it is answered with. */
  readonly rows: Promise<number>
}

type Listener = (sent: Sent) => void
type Method = (this: never, ...parameters: unknown[]) => unknown
type Patch = readonly [target: object, method: string, listening: Method]

function patches(kind: 'sqlite' | 'postgres', listener: Listener): readonly Patch[] {
  if (kind === 'sqlite') {
    return (['all', 'run'] as const).map((name) => {
      const original = StatementSync.prototype[name] as (...values: unknown[]) => unknown
      return [
        StatementSync.prototype,
        name,
        function (this: StatementSync, ...values: unknown[]) {
          const { promise: rows, resolve } = Promise.withResolvers<number>()
          listener({ text: this.sourceSQL, values, request: presentRequest(), rows })
          const answer = original.apply(this, values)
          resolve(Array.isArray(answer) ? answer.length : 0)
          return answer
        } as Method,
      ]
    })
  }
  const original = pg.Client.prototype.query as (...parameters: unknown[]) => unknown
  return [
    [
      pg.Client.prototype,
      'query',
      function (this: pg.Client, ...parameters: unknown[]) {
        const [query, more] = parameters as [
          string | { readonly text: string; readonly values?: unknown[] },
          unknown,
        ]
        const { text, values = [] } = typeof query === 'string' ? { text: query, values: more } : query
        const { promise: rows, resolve } = Promise.withResolvers<number>()
        const request = presentRequest()
        listener({ text, values: Array.isArray(values) ? values : [], request, client: this, rows })
        const answer = original.apply(this, parameters)
        Promise.resolve(answer as Promise<pg.QueryResult | undefined>).then(
          (result) => resolve(result?.rows?.length ?? 0),
          () => resolve(0),
        )
        return answer
      } as Method,
    ],
  ]
}

/** Calls `listener` with everything that reaches the driver, before it does, until what it answers is called. */
export function watchStatements(kind: 'sqlite' | 'postgres', listener: Listener): () => void {
  const all = patches(kind, listener).map(([target, name, listening]) => {
    const original = Reflect.get(target, name)
    Reflect.set(target, name, listening)
    return () => void Reflect.set(target, name, original)
  })
  return () => {
    for (const restore of all) restore()
  }
}

/** … until mocks are restored. */
export function spyOnStatements(kind: 'sqlite' | 'postgres', listener: Listener): void {
  for (const [target, name, listening] of patches(kind, listener))
    vi.spyOn(target as Record<string, Method>, name).mockImplementation(listening as never)
}

/** Whether it reads or changes rows: what begins and ends transactions depends on which changes share one. */
export const isOfRows = ({ text }: Pick<Statement, 'text'>): boolean =>
  /^\s*(select|insert|update|delete|with)/i.test(text) &&
  // The migrations' own look at the tables.
  !/sqlite_master/.test(text)

/**
 * Whether it reads what is read anew after some seconds, for all requests: policies, what is set of authenticators, keys
 * and origins. Which request reads them is a matter of time.
 */
export const isCached = ({ text }: Pick<Statement, 'text'>): boolean =>
  /from "(policies|signing_keys|trusted_origins)"|"policy_rules"|from "settings" where "key" in/.test(text)

function noteWhere(
  kind: 'sqlite' | 'postgres',
  isNoted: (sent: Sent) => boolean,
): Iterable<Statement> & { readonly length: number } {
  const noted = new Map<string, Statement>()
  spyOnStatements(kind, (sent) => {
    if (!isOfRows(sent) || !isNoted(sent)) return
    const { text, values } = sent
    const known = noted.get(text)
    if (known === undefined) noted.set(text, { text, values, times: 1 })
    else known.times++
  })
  return {
    [Symbol.iterator]: () => noted.values(),
    get length() {
      return noted.size
    },
  }
}

/** Takes note of everything that reaches the driver, each text once, until mocks are restored: not for counting. */
export const noteStatements = (kind: 'sqlite' | 'postgres') =>
  noteWhere(kind, () => true) as unknown as readonly Statement[]

/** Takes note of what requests send to the driver, each text once, until mocks are restored. */
export const noteRequests = (kind: 'sqlite' | 'postgres') =>
  noteWhere(kind, ({ request }) => request !== undefined) as unknown as readonly Statement[]
