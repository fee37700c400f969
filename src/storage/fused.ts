import { tables } from './tables.ts'

/**
 * Statements that change rows of different tables and travel together run as one on PostgreSQL, each as a part of a WITH: the
 * server receives, plans and answers one instead of many. All parts see the database as it was before, so a table that one of
 * them writes must not occur in another. They run in their order.
 */

/** One statement on its way to the server. */
export interface Outgoing {
  readonly text: string
  readonly values: readonly unknown[]
}

/** What a text says of itself; undefined: it is sent by itself. */
interface Change {
  readonly command: 'INSERT' | 'UPDATE' | 'DELETE'
  /** The table that it writes. */
  readonly target: string
  /** All tables that occur in it. */
  readonly tables: ReadonlySet<string>
  readonly returns: boolean
  /** Without a row that it changes the transaction must not go on. */
  readonly decides: boolean
  readonly bare: string
}

/** Begins the text of a change that decides (`decide`). */
export const decidesMark = '/* decides */ '

const changes = new Map<string, Change | undefined>()

function changeOf(text: string): Change | undefined {
  const known = changes.get(text)
  if (known !== undefined || changes.has(text)) return known
  const decides = text.startsWith(decidesMark)
  const bare = decides ? text.slice(decidesMark.length) : text
  const found = /^\s*(insert into|update|delete from)\s+"?(\w+)"?/i.exec(bare)
  const [, verb = '', target = ''] = found ?? []
  const words = new Set(bare.match(/\w+/g))
  const change: Change | undefined =
    found === null || !isTable(target)
      ? undefined
      : {
          command: verb.split(' ')[0]?.toUpperCase() as Change['command'],
          target,
          tables: new Set([...words].filter(isTable)),
          returns: /\breturning\b/i.test(bare),
          decides,
          bare,
        }
  if (changes.size < mostTexts) changes.set(text, change)
  return change
}

const isTable = (word: string): boolean => Object.hasOwn(tables, word)

/** Both bound what stays in memory, here and at the server, where a list in a text has varying length. */
const mostTexts = 500
const mostFused = 250

/** Whether two changes may run at once, and so in any order. */
const areApart = (one: Change, other: Change): boolean =>
  !one.tables.has(other.target) && !other.tables.has(one.target)

/** What is sent as one statement: the places of its parts among those that were given. */
export interface Group {
  readonly text: string
  readonly values: readonly unknown[]
  readonly parts: readonly number[]
  /** The result of each part, in their order, from that of the whole. */
  results(result: RawResult): readonly RawResult[]
  /** What each part failed with, where the whole has failed. */
  failures(error: unknown): readonly unknown[]
}

export interface RawResult {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: readonly unknown[]
}

/** Puts statements together that may be. Each is sent no later than those that need what it has done. */
export function grouped(sent: readonly Outgoing[]): readonly Group[] {
  const groups: { parts: number[]; changes: readonly (Change | undefined)[] }[] = []
  sent.forEach(({ text }, at) => {
    const change = changeOf(text)
    const place = change === undefined ? groups.length : earliest(groups, change)
    const group = groups[place]
    if (group === undefined) groups.push({ parts: [at], changes: [change] })
    else groups[place] = { parts: [...group.parts, at], changes: [...group.changes, change] }
  })
  return groups.flatMap(({ parts, changes: all }) => {
    const members = parts.flatMap((at) => sent[at] ?? [])
    const known = all.filter((change) => change !== undefined)
    const isWhole = known.length === all.length && (known.length > 1 || known[0]?.decides)
    const fused = isWhole ? fusedOf(members, known) : undefined
    if (fused !== undefined) return [{ ...fused, parts, values: members.flatMap(({ values }) => values) }]
    return members.map((member, index) => alone(member, known[index], parts[index] ?? 0))
  })
}

/** The first group behind the last one that a change is not apart from. */
function earliest(
  groups: readonly { readonly changes: readonly (Change | undefined)[] }[],
  change: Change,
): number {
  const behind = groups.findLastIndex(
    (group) => !group.changes.every((other) => other !== undefined && areApart(other, change)),
  )
  return behind + 1
}

const alone = ({ text, values }: Outgoing, change: Change | undefined, at: number): Group => ({
  text: change?.bare ?? text,
  values,
  parts: [at],
  results: (result) => [result],
  failures: (error) => [error],
})

type Fused = Pick<Group, 'text' | 'results' | 'failures'>

const fused = new Map<string, Fused>()

function fusedOf(members: readonly Outgoing[], changes: readonly Change[]): Fused | undefined {
  const key = members.map(({ text }) => text).join('\n;\n')
  const known = fused.get(key)
  // A change that decides has no other form.
  if (known !== undefined || (fused.size >= mostFused && !changes.some(({ decides }) => decides)))
    return known
  let from = 0
  const parts = members.map(({ values }, index) => {
    const { bare = '', returns } = changes[index] ?? {}
    const offset = from
    from += values.length
    const text = bare.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`)
    return `s${index} as (${text}${returns ? '' : ' returning 1'})`
  })
  const answers = changes.map((change, index) => `${answerOf(change, index)} as r${index}`)
  const made: Fused = {
    text: `with ${parts.join(', ')} select ${answers.join(', ')}`,
    results({ rows: [row] }) {
      return changes.map(({ command, returns }, index) => {
        const answer = (row as Readonly<Record<string, unknown>>)[`r${index}`]
        const rows = returns ? (answer as readonly unknown[]) : []
        return { command, rows, rowCount: returns ? rows.length : Number(answer) }
      })
    },
    failures: (error) => blamed(error, changes),
  }
  if (fused.size < mostFused) fused.set(key, made)
  return made
}

/** How many rows a part has changed, or those that it returns. */
function answerOf({ decides, returns }: Change, index: number): string {
  const counted = `(select count(*) from s${index})`
  const answer = returns
    ? `(select coalesce(json_agg(s${index}), '[]') from s${index})`
    : `${counted}::integer`
  if (!decides) return answer
  // The text is no number, so that the server fails where no row was changed; it is made of the count, as a constant would
  // fail when the statement is planned.
  return `case when ${counted} > 0 then ${answer} else cast('${undecided}${index}, ' || ${counted} as integer)${returns ? '::text::json' : ''} end`
}

const undecided = 'no row was changed by part '

/** Thrown by a change that decides, where it has changed no row. */
export class Undecided extends Error {}

/** What a statement failed with that failed only since another one of its transaction did. */
class Collateral extends Error {}

export const isCollateral = (error: unknown): boolean =>
  error instanceof Collateral ||
  // "current transaction is aborted, commands ignored until end of transaction block"
  (error instanceof Error && 'code' in error && error.code === '25P02')

function blamed(error: unknown, changes: readonly Change[]): readonly unknown[] {
  if (!(error instanceof Error)) return changes.map(() => error)
  const [, number] = new RegExp(`${undecided}(\\d+)`).exec(error.message) ?? []
  const { table } = error as { readonly table?: string }
  const cause = number === undefined ? changes.findIndex(({ target }) => target === table) : Number(number)
  // A deadlock, say, is that of all of them.
  if (cause === -1) return changes.map(() => error)
  const reason = number === undefined ? error : new Undecided('no row was changed')
  return changes.map((_, index) => (index === cause ? reason : new Collateral('another statement failed')))
}
