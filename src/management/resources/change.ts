import { isObject } from '../../base/index.ts'
import type { Fields } from '../input.ts'

/** The lists of a document, in the order in which they are applied: referenced resources come first. */
export const lists = [
  'userAttributes',
  'groups',
  'policies',
  'authenticators',
  'apps',
  'trustedOrigins',
  'people',
] as const
export type ListName = (typeof lists)[number]

/** A validated document. Resources of absent lists are not touched. */
export type ResourceLists = { readonly [Name in ListName]?: readonly Fields[] }

/** One changed member. */
interface MemberChange {
  readonly path: string
  /** Absent if the member is added or removed. */
  readonly before?: unknown
  readonly after?: unknown
}

export interface Change {
  readonly action: 'create' | 'change' | 'remove'
  /** `group`, `policy`, `rule`, `app`, `trusted origin`, `person`. */
  readonly kind: string
  readonly name: string
  readonly members: readonly MemberChange[]
}

/** Deep equality of JSON values. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, n) => isSame(item, b[n]))
  // 0 and -0 are equal: JSON has only one zero.
  if (!isObject(a) || !isObject(b)) return a === b || Object.is(a, b)
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  )
}

/** The members that differ, by path. Lists are compared as a whole. */
export function differences(before: Fields, after: Fields, prefix = ''): readonly MemberChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => {
    const [old, wanted] = [before[name], after[name]]
    const path = `${prefix}${name}`
    if (isSame(old, wanted)) return []
    if (isObject(old) && isObject(wanted)) return differences(old, wanted, `${path}.`)
    return [
      {
        path,
        ...(old !== undefined && { before: masked(path, old) }),
        ...(wanted !== undefined && { after: masked(path, wanted) }),
      },
    ]
  })
}

const hidden = '[hidden]'
const isSecret = (name: string): boolean => /secret|password(?!s)|private|token$|^(d|k)$/i.test(name)

/** A value without its secrets. A secret is a string whose name suggests one; password settings are objects. */
function masked(path: string, value: unknown): unknown {
  const name = path.split('.').at(-1) ?? ''
  if (typeof value === 'string' && isSecret(name)) return hidden
  if (Array.isArray(value)) return value.map((item) => masked(path, item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, masked(`${path}.${key}`, child)]),
  )
}

/** Merges the members of a document into the present ones: objects recursively, other values replace. */
export function merged(before: Fields, after: Fields): Fields {
  const entries = Object.entries(after).map(([name, value]): [string, unknown] => {
    const old = Object.hasOwn(before, name) ? before[name] : undefined
    return [name, isObject(old) && isObject(value) ? merged(old, value) : value]
  })
  // Not by assignment: a document may contain `__proto__`.
  return Object.fromEntries([...Object.entries(before), ...entries])
}

export const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
