/** The user that a policy is evaluated for. An unknown user has no id and the group Everyone alone. */
export interface PolicySubject {
  readonly groupIds: readonly string[]
  readonly personId?: string | undefined
  /** The app that the user is about to use; undefined: none, and a condition about apps restricts nothing. */
  readonly clientId?: string | undefined
}

interface Selection {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** An app of a condition: `{ id, type: 'APP' }`, or its id. */
type AppOf = string | { readonly id?: unknown; readonly type?: unknown }

interface Conditions {
  readonly app?: { readonly include?: readonly AppOf[]; readonly exclude?: readonly AppOf[] } | null
  readonly people?: { readonly groups?: Selection | null; readonly users?: Selection | null } | null
  readonly [name: string]: unknown
}

const conditionsOf = (body: unknown): Conditions =>
  (body as { conditions?: Conditions | null }).conditions ?? {}

/** Values of a condition that restrict nothing: bodies exported from Okta have them where nothing was chosen. */
const neutralValues: readonly unknown[] = [undefined, null, '', false, 'ANY', 'ANYWHERE', 'OKTA']

export const isNeutral = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).every(isNeutral)
    : neutralValues.includes(value)

/** The conditions that restrict something and cannot be evaluated here: networks, devices, risk. */
export function unsupportedConditions(body: unknown): readonly string[] {
  const { people, app, ...known } = conditionsOf(body)
  const others = hasAppsAlone(app) ? known : { ...known, app }
  const { groups: _, users: __, ...ofPeople } = people ?? {}
  return [
    ...Object.keys(others).filter((name) => !isNeutral(others[name])),
    ...Object.entries(ofPeople).flatMap(([name, value]) => (isNeutral(value) ? [] : [`people.${name}`])),
  ]
}

const appIdOf = (one: AppOf): string | undefined => {
  if (typeof one === 'string') return one
  const { id, type = 'APP' } = one ?? {}
  return typeof id === 'string' && type === 'APP' ? id : undefined
}

/** Whether a condition names apps by their ids, and nothing else: kinds of apps are not known here. */
const hasAppsAlone = (app: Conditions['app']): boolean => {
  if (app === undefined || app === null) return true
  const { include = [], exclude = [], ...more } = app
  const lists = [include ?? [], exclude ?? []]
  return (
    isNeutral(more) &&
    lists.every((list) => Array.isArray(list) && list.every((one) => appIdOf(one) !== undefined))
  )
}

/** Whether a policy or rule is for some apps and not for others. */
export const dependsOnApp = (body: unknown): boolean => !isNeutral(conditionsOf(body).app)

function isForApp(body: unknown, clientId: string | undefined): boolean {
  const { include, exclude } = conditionsOf(body).app ?? {}
  if (clientId === undefined) return true
  const names = (list: readonly AppOf[] | null | undefined): boolean =>
    (list ?? []).some((one) => appIdOf(one) === clientId)
  return !names(exclude) && ((include ?? []).length === 0 || names(include))
}

/** By body, since policies that are cached are evaluated for every request. */
const unsupported = new WeakMap<object, boolean>()

function isUnsupported(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return unsupportedConditions(body).length > 0
  const known = unsupported.get(body) ?? unsupportedConditions(body).length > 0
  unsupported.set(body, known)
  return known
}

/**
 * Whether a policy or rule applies to a user: included by a group or by id, or without any inclusion; and not excluded.
 * One with a condition that cannot be evaluated applies to no user: an ALLOW for one network must not hold for all.
 */
export function appliesTo(body: unknown, { groupIds, personId, clientId }: PolicySubject): boolean {
  if (isUnsupported(body) || !isForApp(body, clientId)) return false
  const { groups, users } = conditionsOf(body).people ?? {}
  const selection = ({ include = [], exclude = [] }: Selection, ids: readonly string[]) => ({
    restricts: include.length > 0,
    included: include.some((id) => ids.includes(id)),
    excluded: exclude.some((id) => ids.includes(id)),
  })
  const byGroup = selection(groups ?? {}, groupIds)
  const byPerson = selection(users ?? {}, personId === undefined ? [] : [personId])
  if (byGroup.excluded || byPerson.excluded) return false
  return byGroup.included || byPerson.included || !(byGroup.restricts || byPerson.restricts)
}
