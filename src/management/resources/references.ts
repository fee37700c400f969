import { isFields } from '../input.ts'
import type { Fields } from '../operation.ts'
import { memberAt } from './api.ts'

/** What a text in a place that names a group or a person becomes. */
export interface Renaming {
  group(text: string): string
  person(text: string): string
}

const membersOf = { groups: 'group', users: 'person' } as const

/** The body of a policy or a rule with every group and person in it named anew. */
export function renamed(body: Fields, to: Renaming): Fields {
  const texts = (value: unknown, rename: (text: string) => string): unknown =>
    Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? rename(item) : item)) : value
  const people = memberAt(body, 'conditions', 'people')
  const enrollment = memberAt(body, 'actions', 'profileEnrollment')
  let result = body
  if (isFields(people)) {
    const members = Object.entries(people).map(([kind, value]) => {
      if ((kind !== 'groups' && kind !== 'users') || !isFields(value)) return [kind, value] as const
      const rename = to[membersOf[kind]]
      const sides = Object.entries(value).map(([side, list]) => [side, texts(list, rename)] as const)
      return [kind, Object.fromEntries(sides)] as const
    })
    result = put(result, ['conditions', 'people'], Object.fromEntries(members))
  }
  if (isFields(enrollment) && enrollment.targetGroupIds !== undefined) {
    const targetGroupIds = texts(enrollment.targetGroupIds, to.group)
    result = put(result, ['actions', 'profileEnrollment'], { ...enrollment, targetGroupIds })
  }
  return result
}

function put(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): Fields {
  const before = fields[name]
  return { ...fields, [name]: rest.length === 0 ? value : put(isFields(before) ? before : {}, rest, value) }
}

/** The people that bodies name, each once. */
export function peopleIn(bodies: readonly Fields[]): readonly string[] {
  const found = new Set<string>()
  const person = (text: string) => {
    found.add(text)
    return text
  }
  for (const body of bodies) renamed(body, { group: (text) => text, person })
  return [...found]
}
