import type { Fields } from '../input.ts'
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
import { applyOrder, orderOf } from './order.ts'
import type { ResourceProblem } from './read.ts'
import { peopleIn, replaceReferences } from './references.ts'
import { mappedNames, mappedPolicies, policyKey, type Run } from './run.ts'

/** The difference between a document and the current state, and the steps that apply it. */
export interface Plan {
  readonly changes: readonly Change[]
  /** Present resources that the document does not list and that stay. */
  readonly left: readonly Pick<Change, 'kind' | 'name'>[]
  /** The number of resources that need no change. */
  readonly same: number
  /** If there are any, the plan must not be applied. */
  readonly problems: readonly ResourceProblem[]
  readonly steps: readonly PlanStep[]
  /** The ids by name that a run starts with. */
  readonly known: Pick<Run, 'groups' | 'mappable' | 'people'>
}

type PlanStep = (run: Run) => Promise<void>

interface Draft {
  readonly changes: Change[]
  readonly left: Pick<Change, 'kind' | 'name'>[]
  readonly problems: ResourceProblem[]
  same: number
  /** `lastSteps` remove resources that others may reference until they have been changed. */
  readonly steps: PlanStep[]
  readonly lastSteps: PlanStep[]
  readonly prune: boolean
}

/** Compares a document with the current state. `prune` removes resources that its lists omit, except users. */
export async function planOf(
  api: Api,
  declared: ResourceLists,
  { prune = false }: { readonly prune?: boolean } = {},
): Promise<Plan> {
  const state = await readCurrentState(api, { people: declared.people !== undefined })
  const people = await loginsIn(api, declared)
  const draft: Draft = { changes: [], left: [], problems: [], same: 0, steps: [], lastSteps: [], prune }
  for (const list of lists) {
    const wanted = declared[list]
    if (wanted === undefined) continue
    checkReferences(list, wanted, declared, state, people, draft)
    if (list === 'policies') draftPolicies(wanted, state.policies, draft)
    else draftList(kinds[list], wanted, state[list], draft, [list])
  }
  const { lastSteps, prune: _, ...rest } = draft
  const mappable = state.policies.map(({ id, body }) => [policyKey(body.type, body.name), id] as const)
  const known = { groups: new Map(state.groupIds), mappable: new Map(mappable), people }
  return { ...rest, steps: [...draft.steps, ...lastSteps], known }
}

function draftList(
  kind: ResourceKind,
  wanted: readonly Fields[],
  present: readonly Item[],
  draft: Draft,
  path: ResourceProblem['path'],
): Match {
  const matched = match(kind, wanted, present)
  draft.problems.push(...matched.problems.map(({ n, words }) => ({ path: [...path, n], words })))
  for (const { body, item } of matched.pairs) {
    const name = kind.nameOf(body)
    if (item === undefined) {
      const members = differences({}, body)
      draft.changes.push({ action: 'create', kind: kind.noun, name, members })
      draft.steps.push((run) => kind.create(run, body))
      continue
    }
    const after = kind.merge(item.body, body)
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
  // Built-in resources and authenticators are never removed, so they are not reported as left over.
  if (item.wire.system === true || kind.noun === 'authenticator') return
  const what = { kind: kind.noun, name: kind.nameOf(item.body) }
  const { remove } = kind
  if (!draft.prune || remove === undefined) {
    draft.left.push(what)
    return
  }
  draft.changes.push({ action: 'remove', ...what, members: [] })
  // Policies are removed before they are ordered; groups after the policies that reference them were changed.
  const steps = kind.noun === 'rule' || kind.noun === 'policy' ? draft.steps : draft.lastSteps
  steps.push((run) => remove(run, item))
}

const byType = (bodies: readonly Fields[]) => Map.groupBy(bodies, ({ type }) => String(type))

function draftPolicies(wanted: readonly Fields[], present: readonly PolicyItem[], draft: Draft): void {
  const kind = kinds.policies
  const withoutRules = wanted.map((body) => without(body, ['rules']))
  const matched = draftList(kind, withoutRules, present, draft, ['policies'])
  for (const [n, { item }] of matched.pairs.entries()) {
    const rules = wanted[n]?.rules as readonly Fields[] | undefined
    const body = withoutRules[n] ?? {}
    if (rules !== undefined)
      draftRules(
        body,
        rules,
        present.find(({ id }) => id === item?.id),
        draft,
        n,
      )
  }
  for (const [type, listed] of byType(withoutRules)) {
    const items = present.filter(({ body }) => body.type === type)
    draftOrder(kind, `the ${type} policies`, listed, items, draft)
    draft.steps.push((run) => applyOrder(run, '/policies', `/policies?type=${type}`, listed))
  }
}

/** Plans the rules of a policy. A new policy is read first when its step runs: it may come with a catch-all rule. */
function draftRules(
  policy: Fields,
  rules: readonly Fields[],
  present: PolicyItem | undefined,
  draft: Draft,
  n: number,
): void {
  if (present === undefined) {
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
  const path = `/policies/${present.id}/rules`
  const kind = nestedKind('rule', path)
  const ruleKind: ResourceKind = { ...kind, nameOf: (body) => `${policy.name} / ${kind.nameOf(body)}` }
  draftList(ruleKind, rules, present.rules, draft, ['policies', n, 'rules'])
  draftOrder(kind, `the rules of ${policy.name}`, rules, present.rules, draft)
  draft.steps.push((run) => applyOrder(run, path, path, rules))
}

function draftOrder(
  kind: ResourceKind,
  name: string,
  wanted: readonly Fields[],
  present: readonly Item[],
  draft: Draft,
): void {
  const { before, after } = orderOf(kind, wanted, present)
  if (isSame(before, after)) return
  const names = (items: readonly Item[]) => items.map(({ body }) => kind.nameOf(body))
  const members = [{ path: 'order', before: names(before), after: names(after) }]
  draft.changes.push({ action: 'change', kind: 'order of', name, members })
}

/** The ids of users that policies reference. Users of the document itself are created last and cannot be referenced. */
async function loginsIn(api: Api, { policies = [] }: ResourceLists): Promise<Map<string, string>> {
  const bodies = policies.flatMap((policy) => [policy, ...((policy.rules ?? []) as readonly Fields[])])
  const found = new Map<string, string>()
  for (const name of peopleIn(bodies)) {
    const person = await findPerson(api, name)
    if (person !== undefined) found.set(name, textAt(person, 'id'))
  }
  return found
}

const isIdShaped = (text: string): boolean => /^00[gu]\w{17}$/.test(text)

/** Reports names that do not exist. Unknown ids are accepted: an export contains the ids of deleted resources. */
function checkReferences(
  list: ListName,
  wanted: readonly Fields[],
  declared: ResourceLists,
  state: CurrentState,
  people: ReadonlyMap<string, string>,
  { problems }: Draft,
): void {
  const groups = new Set([...state.groupIds.keys(), ...(declared.groups ?? []).map(kinds.groups.keyOf)])
  const policies = new Set(
    [...state.policies.map(({ body }) => body), ...(declared.policies ?? [])].map(({ type, name }) =>
      policyKey(type, name),
    ),
  )
  const check = (body: Fields, path: ResourceProblem['path']) => {
    const report = (words: string, member: string) => problems.push({ path, member, words })
    const group = (name: string) => {
      if (!groups.has(name.toLowerCase()) && !isIdShaped(name))
        report(`there is no group ${JSON.stringify(name)}`, name)
      return name
    }
    const person = (login: string) => {
      if (!people.has(login) && !isIdShaped(login))
        report(`there is no user with the login ${JSON.stringify(login)}`, login)
      return login
    }
    for (const name of (body.groups ?? []) as readonly string[]) group(name)
    for (const member of mappedNames) {
      const name = body[member]
      if (name === undefined || policies.has(policyKey(mappedPolicies[member].type, name))) continue
      report(`there is no ${mappedPolicies[member].noun} ${JSON.stringify(name)}`, member)
    }
    replaceReferences(body, { group, person })
  }
  for (const [n, body] of wanted.entries()) {
    check(body, [list, n])
    for (const [m, rule] of ((body.rules ?? []) as readonly Fields[]).entries())
      check(rule, [list, n, 'rules', m])
  }
}
