/** The user that a policy is evaluated for. An unknown user has no id and the group Everyone alone. */
export interface PolicySubject {
  readonly groupIds: readonly string[]
  readonly personId?: string | undefined
}

interface Selection {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

interface Conditions {
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
  const { people, ...others } = conditionsOf(body)
  const { groups: _, users: __, ...ofPeople } = people ?? {}
  return [
    ...Object.keys(others).filter((name) => !isNeutral(others[name])),
    ...Object.entries(ofPeople).flatMap(([name, value]) => (isNeutral(value) ? [] : [`people.${name}`])),
  ]
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
export function appliesTo(body: unknown, { groupIds, personId }: PolicySubject): boolean {
  if (isUnsupported(body)) return false
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
