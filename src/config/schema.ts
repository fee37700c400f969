import { configOptions } from './options.ts'

/** The part of a JSON schema that the options use, and two words of ours. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null'
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly minLength?: number
  /** Never shown: a password, a token, a key. */
  readonly secret?: true
  /** What a pattern means, in words. */
  readonly hint?: string
}

export const schema = configOptions as unknown as Schema

/** The schema of an option (`http.port`, `clients.0.secret`), or undefined where there is no such option. */
export const schemaAt = (path: string): Schema | undefined =>
  path === '' ? schema : path.split('.').reduce<Schema | undefined>(below, schema)

const below = (parent: Schema | undefined, name: string): Schema | undefined =>
  parent?.type === 'array' && /^\d+$/.test(name) ? parent.items : ownProperty(parent?.properties, name)

// A name such as `constructor` is no option because every object happens to have it.
const ownProperty = <T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined

/** Every option that holds a value, by its path; lists count as one. In the order of the schema. */
export function leavesOf(parent: Schema = schema, prefix = ''): readonly (readonly [string, Schema])[] {
  return Object.entries(parent.properties ?? {}).flatMap(([name, child]) =>
    child.type === 'object' ? leavesOf(child, `${prefix}${name}.`) : [[`${prefix}${name}`, child] as const],
  )
}

/** The value at a path, or undefined. */
export const valueAt = (settings: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, name) => (isObject(value) ? ownProperty(value, name) : undefined), settings)

/** The settings with a value put at a path. */
export function withValue(settings: object, path: string, value: unknown): object {
  const [name = '', ...rest] = path.split('.')
  const before = (settings as Record<string, unknown>)[name]
  return {
    ...settings,
    [name]: rest.length === 0 ? value : withValue(isObject(before) ? before : {}, rest.join('.'), value),
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values that an option may have where it is one of a list, such as `['password', 'identifier']`. */
export const choicesOf = ({ anyOf = [] }: Schema): readonly string[] =>
  anyOf.flatMap((choice) => (choice.const === undefined ? [] : [String(choice.const)]))

/** What an option's value is, in words. */
export function typeOf(option: Schema): string {
  if (option.hint !== undefined) return option.hint
  const choices = choicesOf(option)
  if (choices.length > 0) return `one of ${choices.join(', ')}`
  if (option.anyOf !== undefined) return option.anyOf.map(typeOf).join(' or ')
  if (option.type === 'array') return 'a list'
  return names[option.type ?? 'object']
}

const names = {
  object: 'a group of options',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
} as const
