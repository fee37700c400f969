import type { DurationSpan } from '../base/index.ts'
import { configOptions } from './options.ts'

/** The part of JSON Schema that the options use, with extensions: `secret`, `hint`, `ofNode`, `span`. */
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
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  /** Of one node, as where it listens: nodes of one installation may differ in it. Of a group: all of its options. */
  readonly ofNode?: true
  /** Of a duration: what is allowed. */
  readonly span?: DurationSpan
  /** Masked in all output: a password, a token, a key. */
  readonly secret?: true
  /** A description of the pattern, for messages. */
  readonly hint?: string
}

export const schema = configOptions as unknown as Schema

/** The schema of an option (`http.port`, `clients.0.secret`), or undefined if there is no such option. */
export const schemaAt = (path: string): Schema | undefined =>
  path === '' ? schema : path.split('.').reduce<Schema | undefined>(below, schema)

const below = (parent: Schema | undefined, name: string): Schema | undefined =>
  parent?.type === 'array' && /^\d+$/.test(name) ? parent.items : ownProperty(parent?.properties, name)

// Only own properties: inherited names such as `constructor` are not options.
const ownProperty = <T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined

/** All options that have a value, by path, in the order of the schema. A list counts as one option. */
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

/** A copy of the settings with a value set at a path. */
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

/** The allowed values of an option with a fixed list of values, such as `['password', 'identifier']`. */
export const choicesOf = ({ anyOf = [] }: Schema): readonly string[] =>
  anyOf.flatMap((choice) => (choice.const === undefined ? [] : [String(choice.const)]))

/** A description of the type of an option, for messages. */
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
