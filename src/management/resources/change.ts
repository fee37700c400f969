import type { Fields } from '../operation.ts'

/** The lists of a document, in the order in which they are brought into being: what others name comes first. */
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

/** A document without what was wrong in it; a list that is absent is nobody's business. */
export type ResourceLists = { readonly [Name in ListName]?: readonly Fields[] }

/** One member that becomes another. */
export interface MemberChange {
  readonly path: string
  /** Absent: it was not there, or will not be. */
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

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isSame = (a: unknown, b: unknown): boolean => {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, n) => isSame(item, b[n]))
  // JSON knows one zero only.
  if (!isObject(a) || !isObject(b)) return a === b || Object.is(a, b)
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  )
}

/** The members that differ, each by its path; lists count as one value. */
export function differences(before: Fields, after: Fields, prefix = ''): readonly MemberChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => {
    const [old, young] = [before[name], after[name]]
    const path = `${prefix}${name}`
    if (isSame(old, young)) return []
    if (isObject(old) && isObject(young)) return differences(old, young, `${path}.`)
    return [
      {
        path,
        ...(old !== undefined && { before: masked(path, old) }),
        ...(young !== undefined && { after: masked(path, young) }),
      },
    ]
  })
}

const hidden = '[hidden]'
const isSecret = (name: string): boolean => /secret|password(?!s)|private|token$|^(d|k)$/i.test(name)

/** A value fit to be shown. Settings of passwords are objects and no secrets; a text of such a name is one. */
function masked(path: string, value: unknown): unknown {
  const name = path.split('.').at(-1) ?? ''
  if (typeof value === 'string' && isSecret(name)) return hidden
  if (Array.isArray(value)) return value.map((item) => masked(path, item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, masked(`${path}.${key}`, child)]),
  )
}

/** A document's members over those there are: objects are joined, anything else is replaced. */
export function joined(before: Fields, after: Fields): Fields {
  const entries = Object.entries(after).map(([name, value]): [string, unknown] => {
    const old = Object.hasOwn(before, name) ? before[name] : undefined
    return [name, isObject(old) && isObject(value) ? joined(old, value) : value]
  })
  // Not by assignment: a file may say `__proto__`.
  return Object.fromEntries([...Object.entries(before), ...entries])
}

export const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
