import { isObject } from '../../base/index.ts'
import type { Fields } from '../input.ts'
import { memberAt } from './api.ts'

/** Replaces references to groups and users: ids by names, or names by ids. */
interface Replacements {
  group(text: string): string
  person(text: string): string
}

const membersOf = { groups: 'group', users: 'person' } as const

/** The body of a policy or a rule with all references to groups and users replaced. */
export function replaceReferences(body: Fields, to: Replacements): Fields {
  const texts = (value: unknown, replace: (text: string) => string): unknown =>
    Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? replace(item) : item)) : value
  const people = memberAt(body, 'conditions', 'people')
  const enrollment = memberAt(body, 'actions', 'profileEnrollment')
  let result = body
  if (isObject(people)) {
    const members = Object.entries(people).map(([kind, value]) => {
      if ((kind !== 'groups' && kind !== 'users') || !isObject(value)) return [kind, value] as const
      const replace = to[membersOf[kind]]
      const sides = Object.entries(value).map(([side, list]) => [side, texts(list, replace)] as const)
      return [kind, Object.fromEntries(sides)] as const
    })
    result = put(result, ['conditions', 'people'], Object.fromEntries(members))
  }
  if (isObject(enrollment) && enrollment.targetGroupIds !== undefined) {
    const targetGroupIds = texts(enrollment.targetGroupIds, to.group)
    result = put(result, ['actions', 'profileEnrollment'], { ...enrollment, targetGroupIds })
  }
  return result
}

function put(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): Fields {
  const before = fields[name]
  return { ...fields, [name]: rest.length === 0 ? value : put(isObject(before) ? before : {}, rest, value) }
}

/** The users that bodies reference, each once. */
export function peopleIn(bodies: readonly Fields[]): readonly string[] {
  const found = new Set<string>()
  const person = (text: string) => {
    found.add(text)
    return text
  }
  for (const body of bodies) replaceReferences(body, { group: (text) => text, person })
  return [...found]
}
