/** Whom a policy is asked for; nobody known has no id and is in Everyone alone. */
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

export const conditionsOf = (body: unknown): Conditions =>
  (body as { conditions?: Conditions | null }).conditions ?? {}

/** Values that narrow nothing down, as bodies of the field carry them where nothing was chosen. */
const wide: readonly unknown[] = [undefined, null, '', false, 'ANY', 'ANYWHERE', 'OKTA']

export const isNeutral = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.values(value).every(isNeutral) : wide.includes(value)

/** The conditions that narrow something down and cannot be judged here: networks, devices, risk. */
export function unsupportedConditions(body: unknown): readonly string[] {
  const { people, ...others } = conditionsOf(body)
  const { groups: _, users: __, ...ofPeople } = people ?? {}
  return [
    ...Object.keys(others).filter((name) => !isNeutral(others[name])),
    ...Object.entries(ofPeople).flatMap(([name, value]) => (isNeutral(value) ? [] : [`people.${name}`])),
  ]
}

/**
 * Whether something is for somebody: included by a group or herself, or nobody is named; and not excluded. A condition
 * that cannot be judged holds for nobody: what was meant for one network must not open the door to all of them.
 */
export function appliesTo(body: unknown, { groupIds, personId }: PolicySubject): boolean {
  if (unsupportedConditions(body).length > 0) return false
  const { groups, users } = conditionsOf(body).people ?? {}
  const names = ({ include = [], exclude = [] }: Selection, ids: readonly string[]) => ({
    some: include.length > 0,
    included: include.some((id) => ids.includes(id)),
    excluded: exclude.some((id) => ids.includes(id)),
  })
  const byGroup = names(groups ?? {}, groupIds)
  const byPerson = names(users ?? {}, personId === undefined ? [] : [personId])
  if (byGroup.excluded || byPerson.excluded) return false
  return byGroup.included || byPerson.included || !(byGroup.some || byPerson.some)
}
