import { type Client, clientIdsOfGroup, clientsOf } from '../../clients/index.ts'
import type { Db } from '../../storage/index.ts'
import { type Filter, invalidFilter, parseFilter } from '../filter.ts'

const attributes = ['id', 'name', 'status', 'user.id', 'group.id'] as const
type Attribute = (typeof attributes)[number]

interface Comparison {
  readonly attribute: Attribute
  readonly is: string
}

/**
 * The apps that match a filter: `status`, `id`, `name`, `user.id` (assigned, directly or by a group) and `group.id`, each
 * with `eq`. Throws 400 `E0000053` for any other: a list that ignores what was asked for is taken for the answer.
 */
export async function filterApps(
  db: Db,
  clients: readonly Client[],
  text: string,
): Promise<readonly Client[]> {
  const wanted = new Map<string, Comparison>()
  const filter = parseFilter<Comparison>(text, (word, operator, value) => {
    const attribute = attributes.find((one) => one === word)
    if (attribute === undefined) throw invalidFilter(`only ${attributes.join(', ')} can be compared`)
    if (operator !== 'eq') throw invalidFilter('only the operator eq is supported')
    const comparison = { attribute, is: String(value()) }
    wanted.set(keyOf(comparison), comparison)
    return comparison
  })
  // At most one statement for each value that is compared, however often it is, and however many apps there are.
  const matching = new Map<string, ReadonlySet<string>>()
  for (const [key, comparison] of wanted) matching.set(key, await idsOf(db, clients, comparison))
  const matches = (part: Filter<Comparison>, id: string): boolean => {
    if ('every' in part) return part.every.every((one) => matches(one, id))
    if ('some' in part) return part.some.some((one) => matches(one, id))
    return matching.get(keyOf(part))?.has(id) ?? false
  }
  return clients.filter(({ id }) => matches(filter, id))
}

const keyOf = ({ attribute, is }: Comparison): string => `${attribute} ${is}`

async function idsOf(
  db: Db,
  clients: readonly Client[],
  { attribute, is }: Comparison,
): Promise<ReadonlySet<string>> {
  if (attribute === 'user.id') return new Set((await clientsOf(db, is)).map(({ id }) => id))
  if (attribute === 'group.id') return new Set(await clientIdsOfGroup(db, is))
  const found = clients.filter(({ id, status }) => ({ id, status, name: 'oidc_client' })[attribute] === is)
  return new Set(found.map(({ id }) => id))
}
