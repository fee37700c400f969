import type { Fields } from '../operation.ts'
import { textAt } from './api.ts'
import type { Item } from './current-state.ts'
import { nestedKind, type ResourceKind } from './kinds.ts'
import { match } from './match.ts'
import type { Run } from './run.ts'

/** Those of a document that are there, in the order in which they are, and in that of the document. */
export function orderOf(
  kind: ResourceKind,
  wanted: readonly Fields[],
  there: readonly Item[],
): { readonly before: readonly Item[]; readonly after: readonly Item[] } {
  const movable = there.filter(({ wire }) => wire.system !== true)
  const listed = wanted.filter(({ system }) => system !== true)
  const after = match(kind, listed, movable).pairs.flatMap(({ item }) => (item === undefined ? [] : [item]))
  return { before: movable.filter((item) => after.includes(item)), after }
}

/**
 * Brings what stands in a list into the order of a document. What the document does not name keeps its place; what was
 * just made stands behind what the document has before it.
 */
export async function arrange(
  run: Run,
  path: string,
  list: string,
  wanted: readonly Fields[],
): Promise<void> {
  const look = async () =>
    (await run.api.list(list)).map((wire): Item => ({ id: textAt(wire, 'id'), body: wire, wire }))
  // Rules say no type of the document's.
  const kind = { ...nestedKind('policy', path), keyOf: (body: Fields) => String(body.name) }
  const there = await look()
  const { after } = orderOf(kind, wanted, there)
  const goal = goalOf(
    there.filter(({ wire }) => wire.system !== true).map(({ id }) => id),
    after.map(({ id }) => id),
    run.made,
  )
  for (const [n, id] of goal.entries()) {
    const now = (await look()).filter(({ wire }) => wire.system !== true)
    const item = now.find((one) => one.id === id)
    if (item === undefined || now[n]?.id === id) continue
    await run.api.call('PUT', `${path}/${id}`, { ...item.wire, priority: n + 1 })
  }
}

/** The ids of a list in the order they are to have. */
export function goalOf(
  there: readonly string[],
  wanted: readonly string[],
  made: ReadonlySet<string>,
): readonly string[] {
  const old = wanted.filter((id) => !made.has(id))
  const goal = there.filter((id) => !made.has(id) || !wanted.includes(id))
  let next = 0
  for (const [n, id] of goal.entries()) if (old.includes(id)) goal[n] = old[next++] ?? id
  for (const [n, id] of wanted.entries()) {
    if (!made.has(id)) continue
    const before = wanted[n - 1]
    const behind = wanted.find((other, m) => m > n && goal.includes(other))
    const at =
      before !== undefined
        ? goal.indexOf(before) + 1
        : behind !== undefined
          ? goal.indexOf(behind)
          : goal.length
    goal.splice(at, 0, id)
  }
  return goal
}
