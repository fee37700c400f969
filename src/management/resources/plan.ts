import type { Fields } from '../operation.ts'
import { type Api, textAt } from './api.ts'
import {
  type Change,
  differences,
  isSame,
  type ListName,
  lists,
  type ResourceLists,
  without,
} from './change.ts'
import {
  type CurrentState,
  findPerson,
  type Item,
  type PolicyItem,
  readCurrentState,
} from './current-state.ts'
import { kinds, nestedKind, type ResourceKind } from './kinds.ts'
import { type Match, match } from './match.ts'
import { arrange, orderOf } from './order.ts'
import type { ResourceProblem } from './read.ts'
import { peopleIn, renamed } from './references.ts'
import type { Run } from './run.ts'

/** What would have to be done, in the order in which it is. */
export interface Plan {
  readonly changes: readonly Change[]
  /** What is there and not in the document, and stays. */
  readonly left: readonly Pick<Change, 'kind' | 'name'>[]
  /** How many things are as the document wants them. */
  readonly same: number
  /** Where there are any, nothing of it can be done. */
  readonly problems: readonly ResourceProblem[]
  readonly steps: readonly PlanStep[]
  /** What a run of it knows at its start. */
  readonly known: Pick<Run, 'groups' | 'accessPolicies' | 'people'>
}

export type PlanStep = (run: Run) => Promise<void>

interface Draft {
  readonly changes: Change[]
  readonly left: Pick<Change, 'kind' | 'name'>[]
  readonly problems: ResourceProblem[]
  same: number
  /** Removals of what others name come last, others where they stand. */
  readonly steps: PlanStep[]
  readonly lastSteps: PlanStep[]
  readonly prune: boolean
}

/** Compares a document with what there is. With `prune`, what its lists do not name goes; people never do. */
export async function planOf(
  api: Api,
  declared: ResourceLists,
  { prune = false }: { readonly prune?: boolean } = {},
): Promise<Plan> {
  const standing = await readCurrentState(api, { people: declared.people !== undefined })
  const people = await loginsIn(api, declared)
  const draft: Draft = { changes: [], left: [], problems: [], same: 0, steps: [], lastSteps: [], prune }
  for (const list of lists) {
    const wanted = declared[list]
    if (wanted === undefined) continue
    checkReferences(list, wanted, declared, standing, people, draft)
    if (list === 'policies') draftPolicies(wanted, standing.policies, draft)
    else draftList(kinds[list], wanted, standing[list], draft, [list])
  }
  const { lastSteps, prune: _, ...rest } = draft
  const accessPolicies = standing.policies
    .filter(({ body }) => body.type === 'ACCESS_POLICY')
    .map(({ id, body }) => [String(body.name), id] as const)
  const known = { groups: new Map(standing.groupIds), accessPolicies: new Map(accessPolicies), people }
  return { ...rest, steps: [...draft.steps, ...lastSteps], known }
}

function draftList(
  kind: ResourceKind,
  wanted: readonly Fields[],
  there: readonly Item[],
  draft: Draft,
  path: ResourceProblem['path'],
): Match {
  const matched = match(kind, wanted, there)
  draft.problems.push(...matched.problems.map(({ n, words }) => ({ path: [...path, n], words })))
  for (const { body, item } of matched.pairs) {
    const name = kind.nameOf(body)
    if (item === undefined) {
      const members = differences({}, body)
      draft.changes.push({ action: 'create', kind: kind.noun, name, members })
      draft.steps.push((run) => kind.create(run, body))
      continue
    }
    const after = kind.becomes(item.body, body)
    if (isSame(item.body, after)) {
      draft.same += 1
      continue
    }
    const members = differences(item.body, after)
    draft.changes.push({ action: 'change', kind: kind.noun, name, members })
    draft.steps.push((run) => kind.change(run, item, after))
  }
  for (const item of matched.others) draftRemoval(kind, item, draft)
  return matched
}

function draftRemoval(kind: ResourceKind, item: Item, draft: Draft): void {
  // Neither what is built in nor an authenticator ever goes: nothing is left over there.
  if (item.wire.system === true || kind.noun === 'authenticator') return
  const what = { kind: kind.noun, name: kind.nameOf(item.body) }
  const { remove } = kind
  if (!draft.prune || remove === undefined) {
    draft.left.push(what)
    return
  }
  draft.changes.push({ action: 'remove', ...what, members: [] })
  // An order is made among those that stay; a group may be named by what is changed before it goes.
  const steps = kind.noun === 'rule' || kind.noun === 'policy' ? draft.steps : draft.lastSteps
  steps.push((run) => remove(run, item))
}

const byType = (bodies: readonly Fields[]) => Map.groupBy(bodies, ({ type }) => String(type))

function draftPolicies(wanted: readonly Fields[], there: readonly PolicyItem[], draft: Draft): void {
  const kind = kinds.policies
  const alone = wanted.map((body) => without(body, ['rules']))
  const matched = draftList(kind, alone, there, draft, ['policies'])
  for (const [n, { item }] of matched.pairs.entries()) {
    const rules = wanted[n]?.rules as readonly Fields[] | undefined
    const body = alone[n] ?? {}
    if (rules !== undefined)
      draftRules(
        body,
        rules,
        there.find(({ id }) => id === item?.id),
        draft,
        n,
      )
  }
  for (const [type, listed] of byType(alone)) {
    const items = there.filter(({ body }) => body.type === type)
    draftOrder(kind, `the ${type} policies`, listed, items, draft)
    draft.steps.push((run) => arrange(run, '/policies', `/policies?type=${type}`, listed))
  }
}

/** The rules of a policy; those of one that is new, once it is there, with the rule that it may come with. */
function draftRules(
  policy: Fields,
  rules: readonly Fields[],
  there: PolicyItem | undefined,
  draft: Draft,
  n: number,
): void {
  if (there === undefined) {
    for (const body of rules) {
      const name = `${policy.name} / ${body.name}`
      draft.changes.push({ action: 'create', kind: 'rule', name, members: differences({}, body) })
    }
    draft.steps.push(async (run) => {
      const path = `/policies/${run.idOf.get(policy) ?? ''}/rules`
      const found = (await run.api.list(path)).map(
        (wire): Item => ({ id: textAt(wire, 'id'), body: without(wire, ['type']), wire }),
      )
      const kind = nestedKind('rule', path)
      for (const { body, item } of match(kind, rules, found).pairs) {
        if (item?.wire.system === true) await kind.change(run, item, body)
        else await kind.create(run, body)
      }
    })
    return
  }
  const path = `/policies/${there.id}/rules`
  const kind = nestedKind('rule', path)
  const named: ResourceKind = { ...kind, nameOf: (body) => `${policy.name} / ${kind.nameOf(body)}` }
  draftList(named, rules, there.rules, draft, ['policies', n, 'rules'])
  draftOrder(kind, `the rules of ${policy.name}`, rules, there.rules, draft)
  draft.steps.push((run) => arrange(run, path, path, rules))
}

function draftOrder(
  kind: ResourceKind,
  name: string,
  wanted: readonly Fields[],
  there: readonly Item[],
  draft: Draft,
): void {
  const { before, after } = orderOf(kind, wanted, there)
  if (isSame(before, after)) return
  const names = (items: readonly Item[]) => items.map(({ body }) => kind.nameOf(body))
  const members = [{ path: 'order', before: names(before), after: names(after) }]
  draft.changes.push({ action: 'change', kind: 'order of', name, members })
}

/** Whoever is named in a policy, by id; people of the document itself come last and cannot be named by policies. */
async function loginsIn(api: Api, { policies = [] }: ResourceLists): Promise<Map<string, string>> {
  const bodies = policies.flatMap((policy) => [policy, ...((policy.rules ?? []) as readonly Fields[])])
  const found = new Map<string, string>()
  for (const name of peopleIn(bodies)) {
    const person = await findPerson(api, name)
    if (person !== undefined) found.set(name, textAt(person, 'id'))
  }
  return found
}

const looksLikeId = (text: string): boolean => /^00[gu]\w{17}$/.test(text)

/** Names that nobody and nothing has. What looks like the id of something that is gone was written down so. */
function checkReferences(
  list: ListName,
  wanted: readonly Fields[],
  declared: ResourceLists,
  standing: CurrentState,
  people: ReadonlyMap<string, string>,
  { problems }: Draft,
): void {
  const groups = new Set([...standing.groupIds.keys(), ...(declared.groups ?? []).map(kinds.groups.keyOf)])
  const accessPolicies = [...standing.policies.map(({ body }) => body), ...(declared.policies ?? [])]
    .filter(({ type }) => type === 'ACCESS_POLICY')
    .map(({ name }) => name)
  const check = (body: Fields, path: ResourceProblem['path']) => {
    const tell = (words: string, member: string) => problems.push({ path, member, words })
    const group = (name: string) => {
      if (!groups.has(name.toLowerCase()) && !looksLikeId(name))
        tell(`there is no group ${JSON.stringify(name)}`, name)
      return name
    }
    const person = (login: string) => {
      if (!people.has(login) && !looksLikeId(login))
        tell(`there is nobody with the login ${JSON.stringify(login)}`, login)
      return login
    }
    for (const name of (body.groups ?? []) as readonly string[]) group(name)
    if (body.accessPolicy !== undefined && !accessPolicies.includes(body.accessPolicy)) {
      tell(`there is no access policy ${JSON.stringify(body.accessPolicy)}`, 'accessPolicy')
    }
    renamed(body, { group, person })
  }
  for (const [n, body] of wanted.entries()) {
    check(body, [list, n])
    for (const [m, rule] of ((body.rules ?? []) as readonly Fields[]).entries())
      check(rule, [list, n, 'rules', m])
  }
}
