import type { Fields } from '../input.ts'
import { textAt } from './api.ts'
import type { Item } from './current-state.ts'
import { nestedKind, type ResourceKind } from './kinds.ts'
import { match } from './match.ts'
import type { Run } from './run.ts'

/** The present resources that a document lists: in their present order, and in that of the document. */
export function orderOf(
  kind: ResourceKind,
  wanted: readonly Fields[],
  present: readonly Item[],
): { readonly before: readonly Item[]; readonly after: readonly Item[] } {
  const movable = present.filter(({ wire }) => wire.system !== true)
  const listed = wanted.filter(({ system }) => system !== true)
  const after = match(kind, listed, movable).pairs.flatMap(({ item }) => (item === undefined ? [] : [item]))
  return { before: movable.filter((item) => after.includes(item)), after }
}

/**
 * Sorts a list into the order of a document. Resources that the document does not list keep their position; new ones are
 * placed after their predecessor in the document.
 */
export async function applyOrder(
  run: Run,
  path: string,
  list: string,
  wanted: readonly Fields[],
): Promise<void> {
  const readItems = async () =>
    (await run.api.list(list)).map((wire): Item => ({ id: textAt(wire, 'id'), body: wire, wire }))
  // Rules have no type in a document, so the name alone is the key.
  const kind = { ...nestedKind('policy', path), keyOf: (body: Fields) => String(body.name) }
  const present = await readItems()
  const { after } = orderOf(kind, wanted, present)
  const order = wantedOrder(
    present.filter(({ wire }) => wire.system !== true).map(({ id }) => id),
    after.map(({ id }) => id),
    run.created,
  )
  for (const [n, id] of order.entries()) {
    const now = (await readItems()).filter(({ wire }) => wire.system !== true)
    const item = now.find((one) => one.id === id)
    if (item === undefined || now[n]?.id === id) continue
    await run.api.call('PUT', `${path}/${id}`, { ...item.wire, priority: n + 1 })
  }
}

/** The ids of a list in the wanted order. */
export function wantedOrder(
  present: readonly string[],
  wanted: readonly string[],
  created: ReadonlySet<string>,
): readonly string[] {
  const old = wanted.filter((id) => !created.has(id))
  const order = present.filter((id) => !created.has(id) || !wanted.includes(id))
  let next = 0
  for (const [n, id] of order.entries()) if (old.includes(id)) order[n] = old[next++] ?? id
  for (const [n, id] of wanted.entries()) {
    if (!created.has(id)) continue
    const before = wanted[n - 1]
    const successor = wanted.find((other, m) => m > n && order.includes(other))
    const at =
      before !== undefined
        ? order.indexOf(before) + 1
        : successor !== undefined
          ? order.indexOf(successor)
          : order.length
    order.splice(at, 0, id)
  }
  return order
}
